// Who you are and who else you may act as, at the foot of the sidebar; and the members beside the conversation.

import { avatar, avatarWithStatus, displayName } from "./avatar.js";
import { classes, element, replaceContent } from "./elements.js";
import { appBadge } from "./message.js";

const BOT_WORDS = { online: "Online", starting: "Starting…", offline: "Offline" };

export function drawPeople(node, world, actAs) {
  replaceContent(
    node,
    element("span", { class: "people-title" }, "Act as"),
    element(
      "div",
      { class: "people-row" },
      world.people.map((person) => personButton(person, world, actAs)),
    ),
  );
}

export function drawMyself(node, world) {
  if (!world.me) return replaceContent(node);
  replaceContent(
    node,
    avatarWithStatus(world.me, "online"),
    element(
      "div",
      { class: "myself-words" },
      element("strong", {}, displayName(world.me)),
      element("small", {}, world.me.username),
    ),
  );
}

export function drawMembers(node, page) {
  const { world } = page;
  const status = world.botStatus();
  const bot = world.bot ? memberButton(world.bot, status, page) : null;
  const online = world.people.map((person) => memberButton(person, "online", page));
  if (bot && status === "online") online.push(bot);
  replaceContent(
    node,
    group(`Online — ${online.length}`, online),
    bot && status !== "online" ? group(`${BOT_WORDS[status]} — 1`, [bot]) : null,
  );
}

function personButton(person, world, actAs) {
  const isMe = person.id === world.me?.id;
  const name = displayName(person);
  return element(
    "button",
    {
      class: classes("person", { "is-me": isMe }),
      type: "button",
      title: `Act as ${name}`,
      "aria-label": `Act as ${name}`,
      "aria-pressed": String(isMe),
      testid: `person-${name}`,
      on: { click: () => actAs(person) },
    },
    avatar(person, 32),
  );
}

function group(title, members) {
  return [element("h2", { class: "member-group" }, title), members];
}

function memberButton(user, status, page) {
  const mention = () => page.composer.insert(`<@${user.id}> `);
  return element(
    "button",
    {
      class: classes("member", { "is-away": status !== "online" }),
      type: "button",
      title: `Mention ${displayName(user)}`,
      on: { click: mention },
    },
    avatarWithStatus(user, status),
    element(
      "span",
      { class: "member-words" },
      element("span", { class: "member-name" }, displayName(user), user.bot ? appBadge() : null),
      user.bot ? element("small", {}, BOT_WORDS[status]) : null,
    ),
  );
}
