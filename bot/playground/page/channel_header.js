// The line above the conversation: channel, topic, how the bot is, and the buttons that open the drawers.

import { displayName } from "./avatar.js";
import { element, replaceContent } from "./elements.js";
import { icon } from "./icons.js";
import { channelIcon } from "./servers.js";

const STATUS_WORDS = { online: "online", starting: "starting…", offline: "offline" };

export function drawChannelHeader(node, world, { toggleDrawer, toggleMembers }) {
  const { channel } = world;
  replaceContent(
    node,
    element(
      "button",
      {
        class: "icon-button drawer-button",
        type: "button",
        "aria-label": "Channels and people",
        testid: "drawer-button",
        on: { click: toggleDrawer },
      },
      icon("menu"),
      world.unread.size ? element("span", { class: "unread-dot" }) : null,
    ),
    element(
      "span",
      { class: "channel-title" },
      icon(channelIcon(channel), 22),
      element("h1", {}, channel?.name ?? "…"),
    ),
    channel?.topic ? element("span", { class: "channel-topic", title: channel.topic }, channel.topic) : null,
    element("span", { class: "header-space" }),
    botStatus(world),
    element(
      "button",
      {
        class: "icon-button",
        type: "button",
        "aria-label": "Members",
        testid: "members-button",
        on: { click: toggleMembers },
      },
      icon("people"),
    ),
  );
}

export function drawTitleBar(node, world) {
  replaceContent(node, element("span", {}, world.server()?.name ?? "Playground"));
  document.title = world.channel ? `#${world.channel.name} | ${world.server()?.name ?? "Playground"}` : "Playground";
}

function botStatus(world) {
  const status = world.botStatus();
  const name = world.bot ? displayName(world.bot) : "Bot";
  return element(
    "span",
    { class: `bot-status is-${status}`, testid: "bot-status", title: `${name} is ${STATUS_WORDS[status]}` },
    element("span", { class: `status-dot is-${status}`, "aria-hidden": "true" }),
    element("span", { class: "bot-status-words" }, `${name} ${STATUS_WORDS[status]}`),
  );
}
