// The rail of servers and the list of channels.

import { initials } from "./avatar.js";
import { classes, element, replaceContent } from "./elements.js";
import { icon } from "./icons.js";

const DIRECT = 1;
const CATEGORY = 4;

/** "#" for the channels of a server, "@" for a conversation of two. */
export function channelIcon(channel) {
  return channel?.type === DIRECT ? "at" : "hash";
}

export function drawServers(rail, world) {
  const open = world.server();
  replaceContent(
    rail,
    world.servers.map((server) => serverButton(server, server === open, world)),
  );
}

export function drawChannels(list, name, world) {
  const server = world.server();
  name.textContent = server?.name ?? "Playground";
  const channels = server?.channels ?? [];
  const hasCategories = channels.some((channel) => channel.type === CATEGORY);
  replaceContent(
    list,
    hasCategories ? null : category(channels[0]?.type === DIRECT ? "Direct messages" : "Text channels"),
    channels.map((channel) => (channel.type === CATEGORY ? category(channel.name) : channelButton(channel, world))),
  );
}

function serverButton(server, isOpen, world) {
  const hasUnread = server.channels.some((channel) => world.unread.has(channel.id));
  const mentions = server.channels.reduce((sum, channel) => sum + (world.unread.get(channel.id) ?? 0), 0);
  const open = () => world.openChannel(server.channels.find((channel) => channel.type !== CATEGORY)?.id);
  return element(
    "button",
    {
      class: classes("server", { "is-open": isOpen, "has-unread": hasUnread }),
      type: "button",
      title: server.name,
      "aria-label": server.name,
      "aria-current": isOpen ? "true" : null,
      testid: `server-${server.name}`,
      on: { click: open },
    },
    element("span", { class: "server-icon" }, initials(server.name)),
    mentions ? element("span", { class: "count" }, mentions) : null,
  );
}

function category(name) {
  return element("h2", { class: "channel-category" }, name);
}

function channelButton(channel, world) {
  const isOpen = channel === world.channel;
  const mentions = world.unread.get(channel.id) ?? 0;
  return element(
    "button",
    {
      class: classes("channel-button", { "is-open": isOpen, "has-unread": world.unread.has(channel.id) }),
      type: "button",
      testid: `channel-${channel.name}`,
      "aria-current": isOpen ? "page" : null,
      on: { click: () => world.openChannel(channel.id) },
    },
    icon(channelIcon(channel)),
    element("span", { class: "channel-name" }, channel.name),
    mentions ? element("span", { class: "count" }, mentions) : null,
  );
}
