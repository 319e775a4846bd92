// The thin line above a message: which command or which message it answers.

import { avatar, displayName } from "./avatar.js";
import { element } from "./elements.js";
import { markdown } from "./markdown.js";

export function commandHeader(metadata) {
  // Only what was typed began with a slash; a command of a message's menu is its name alone.
  const name = metadata.target_message_id ? metadata.name : `/${metadata.name}`;
  return element(
    "div",
    { class: "origin" },
    avatar(metadata.user, 16),
    element("span", { class: "origin-author" }, displayName(metadata.user)),
    metadata.name ? ["used", element("span", { class: "origin-command" }, name)] : "used a command",
  );
}

export function replyHeader(referenced, page) {
  const jump = () => page.jumpTo(referenced.channel_id, referenced.id);
  return element(
    "button",
    {
      class: "origin is-reply",
      type: "button",
      on: { click: jump },
      "aria-label": `Reply to ${displayName(referenced.author)}`,
    },
    avatar(referenced.author, 16),
    element("span", { class: "origin-author" }, displayName(referenced.author)),
    element("span", { class: "origin-excerpt" }, excerpt(referenced, page)),
  );
}

function excerpt(message, page) {
  if (message.content) return plainWords(markdown(message.content, page));
  return element("em", {}, message.attachments?.length ? "Click to see attachment" : "Click to see message");
}

function plainWords(fragment) {
  return fragment.textContent.slice(0, 200);
}
