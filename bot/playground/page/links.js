// Links in messages: http(s) only, opened in another tab; links to a message of this playground jump to it.

import { element } from "./elements.js";

const MESSAGE_ADDRESS = /\/channels\/(?:\d+|@me)\/(\d+)(?:\/(\d+))?\/?$/;

export function isWebAddress(address) {
  try {
    return ["http:", "https:"].includes(new URL(address, location.href).protocol);
  } catch {
    return false;
  }
}

export function link(address, words, page, className = "link") {
  if (!isWebAddress(address)) return element("span", {}, words);
  const node = element(
    "a",
    { class: className, href: address, target: "_blank", rel: "noopener noreferrer nofollow", title: address },
    words,
  );
  node.addEventListener("click", (event) => followInside(event, address, page));
  return node;
}

function followInside(event, address, page) {
  const [, channelId, messageId] = MESSAGE_ADDRESS.exec(new URL(address, location.href).pathname) ?? [];
  if (!channelId || !page.world.channels().some((channel) => channel.id === channelId)) return;
  event.preventDefault();
  page.jumpTo(channelId, messageId);
}
