// The editor for options with something to pick: choices, yes or no, people, channels, and autocomplete from the bot.

import { avatar, displayName } from "./avatar.js";
import { element } from "./elements.js";
import { icon } from "./icons.js";
import { fit } from "./option_text.js";
import { BOOLEAN, CHANNEL, MENTIONABLE, textComplaint, typedValue, USER } from "./option_rules.js";

const DEBOUNCE_MILLISECONDS = 250;

export function hasChoices(option) {
  return Boolean(
    option.choices?.length || option.autocomplete || [BOOLEAN, USER, CHANNEL, MENTIONABLE].includes(option.type),
  );
}

/** `suggest(option, text)` asks the bot; `refresh` shows the panel again; `picked` moves on to the next field. */
export function choiceEditor(option, page, { suggest, changed, refresh, picked }) {
  const source = option.autocomplete ? remoteChoices(option, suggest, refresh) : localChoices(option, page);
  let chosen = null;
  const field = choiceField(option);
  field.addEventListener("input", () => {
    chosen = null;
    fit(field);
    source.typed(field.value);
    changed();
  });
  const pick = (item) => {
    chosen = item;
    field.value = item.label;
    fit(field);
    changed();
    picked();
  };
  const exact = () => chosen ?? (option.autocomplete ? null : source.exact(field.value));
  fit(field);
  return {
    node: field,
    field,
    opened: () => source.typed(field.value),
    value: () =>
      exact()?.value ??
      (option.autocomplete && field.value.trim() ? typedValue(option, field.value.trim()) : undefined),
    complaint: () => choiceComplaint(option, field.value.trim(), exact()),
    panel: () => ({
      title: option.name,
      detail: option.description,
      testid: "autocomplete-choice",
      items: chosen ? [] : source.items(field.value),
      note: chosen ? null : source.note(),
      pick,
    }),
  };
}

function choiceField(option) {
  return element("textarea", {
    class: "option-field",
    rows: 1,
    testid: `option-${option.name}`,
    role: "combobox",
    "aria-label": option.name,
    "aria-controls": "choice-list",
    "aria-expanded": "true",
    autocomplete: "off",
    spellcheck: "false",
  });
}

function choiceComplaint(option, text, chosen) {
  if (chosen) return null;
  if (!text || option.autocomplete) return textComplaint(option, text);
  return "Pick one of the choices.";
}

function localChoices(option, page) {
  const all = choicesOf(option, page);
  const items = (text) => all.filter((item) => item.label.toLowerCase().includes(text.trim().toLowerCase()));
  return {
    typed: () => {},
    items,
    exact: (text) =>
      all.find(
        (item) => item.label.toLowerCase() === text.trim().toLowerCase() || String(item.value) === text.trim(),
      ) ?? null,
    note: () => (all.length ? null : "Nothing to choose from."),
  };
}

function choicesOf(option, page) {
  if (option.choices?.length) return option.choices.map(({ name, value }) => ({ label: name, value }));
  if (option.type === BOOLEAN)
    return [
      { label: "True", value: true },
      { label: "False", value: false },
    ];
  if (option.type === CHANNEL)
    return page.world
      .channels()
      .map((channel) => ({ label: channel.name, value: channel.id, picture: () => icon("hash", 18) }));
  const everybody = page.world.bot ? [...page.world.people, page.world.bot] : page.world.people;
  return everybody.map((user) => ({
    label: displayName(user),
    description: user.username,
    value: user.id,
    picture: () => avatar(user, 24),
  }));
}

/** Choices from the bot, asked for after a pause in typing; answers to older questions are dropped. */
function remoteChoices(option, suggest, refresh) {
  let items = [];
  let note = "Loading options…";
  let timer = null;
  let question = 0;
  let answered = 0;
  const ask = async (mine) => {
    try {
      const { choices } = await suggest(option);
      if (mine !== question) return;
      answered = mine;
      items = choices.map(({ name, value }) => ({ label: name, value }));
      note = items.length ? null : "No options match your search.";
    } catch {
      if (mine !== question) return;
      items = [];
      note = "Loading options failed.";
    }
    refresh();
  };
  const typed = () => {
    clearTimeout(timer);
    const mine = ++question;
    if (!items.length) note = "Loading options…";
    timer = setTimeout(() => ask(mine), DEBOUNCE_MILLISECONDS);
  };
  // Until the bot has answered for the newest text, only older choices that still fit it are offered.
  const fitting = (text) => items.filter((item) => item.label.toLowerCase().includes(text.trim().toLowerCase()));
  return {
    typed,
    items: (text) => (answered === question ? items : fitting(text)),
    exact: () => null,
    note: () => note,
  };
}
