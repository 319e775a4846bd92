// Mentions of people, channels and commands, as the blue marks in a message.

import { displayName } from "./avatar.js";
import { element } from "./elements.js";
import { icon } from "./icons.js";

export function personMention(id, page) {
  const user = page.world.user(id) ?? page.mentioned?.find((person) => person.id === id);
  return element("span", { class: "mention", title: user?.username }, `@${user ? displayName(user) : "unknown-user"}`);
}

export function roleMention() {
  return element("span", { class: "mention" }, "@role");
}

export function everyoneMention(name) {
  return element("span", { class: "mention" }, `@${name}`);
}

export function channelMention(id, page) {
  const channel = page.world.channels().find((candidate) => candidate.id === id);
  const open = () => channel && page.world.openChannel(id);
  return element(
    "button",
    { class: "mention is-button", type: "button", on: { click: open } },
    icon("hash", 14),
    channel?.name ?? "unknown",
  );
}

export function commandMention(name, page) {
  const open = () => page.composer.openCommandNamed(name);
  return element("button", { class: "mention is-button", type: "button", on: { click: open } }, `/${name}`);
}

/** Whether this message speaks to the acting person. */
export function mentionsMe(message, me) {
  if (message.mention_everyone) return true;
  return (message.mentions ?? []).some((user) => user.id === me?.id);
}
