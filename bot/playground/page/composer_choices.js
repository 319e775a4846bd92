// What the panel above the composer shows: commands while a slash is typed, then the optional options of one.

import { avatar, displayName } from "./avatar.js";
import { element } from "./elements.js";

const NO_COMMANDS = {
  online: "The bot has no commands yet.",
  starting: "No commands yet: the bot is still starting.",
  offline: "No commands: the bot is offline.",
};

/** The panel for the commands found, or null when there is nothing to show. */
export function commandChoices(found, typed, page, open) {
  const isEmpty = !page.catalogue.all().length;
  if (!found.length && !isEmpty) return null;
  return {
    title: typed ? "Commands matching" : "Commands",
    detail: typed ? `/${typed}` : null,
    testid: "command-choice",
    items: found.map((command) => commandItem(command, page.world.bot)),
    note: isEmpty ? NO_COMMANDS[page.world.botStatus()] : null,
    pick: (item) => open(item.command),
  };
}

export function optionChoices(options, command, highlight, add) {
  return {
    title: "Optional",
    detail: `for /${command.name}, none of them needed`,
    testid: "optional-choice",
    items: options.map(optionItem),
    highlight,
    pick: (item) => add(item.option),
  };
}

function commandItem(command, bot) {
  const required = command.options
    .filter((option) => option.required)
    .map((option) => element("span", { class: "choice-option" }, option.name));
  return {
    command,
    value: command.name,
    label: [`/${command.name}`, required],
    description: command.description,
    aside: bot ? displayName(bot) : null,
    picture: () => avatar(bot, 32),
  };
}

function optionItem(option) {
  return { option, value: option.name, label: option.name, description: option.description };
}
