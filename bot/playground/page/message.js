// One message: header, content, attachments, embeds, components and the lines around them.
// message_list.js decides where it stands; this file only draws it.

import { attachments } from "./attachments.js";
import { avatar, displayName } from "./avatar.js";
import { componentNodes } from "./components.js";
import { classes, element } from "./elements.js";
import { embed } from "./embeds.js";
import { icon } from "./icons.js";
import { markdown } from "./markdown.js";
import { mentionsMe } from "./mentions.js";
import { commandHeader, replyHeader } from "./message_origin.js";
import { clockTime, dayName, fullMoment, headerTime, isSameDay } from "./moments.js";

const GROUP_MILLISECONDS = 7 * 60 * 1000;
const COMPONENTS_V2 = 1 << 15;
const LOADING = 1 << 7;
const ONLY_EMOJI = /^(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}|\u200d|\ufe0f|\s){1,60}$/u;

/** The list item for a message; `previous` is the message above it, or null. */
export function messageRow(message, previous, page) {
  const sent = new Date(message.timestamp);
  const startsDay = !previous || !isSameDay(new Date(previous.timestamp), sent);
  const row = element("li", { class: "row", id: `row-${message.id}` });
  if (startsDay)
    row.append(element("div", { class: "day-divider", role: "separator" }, element("span", {}, dayName(sent))));
  row.append(article(message, !startsDay && isContinuation(message, previous), page));
  return row;
}

export function isContinuation(message, previous) {
  if (!previous || previous.author.id !== message.author.id) return false;
  if (originOf(message) || message.referenced_message || message.message_reference) return false;
  if (Boolean(previous.ephemeral_for) !== Boolean(message.ephemeral_for)) return false;
  return new Date(message.timestamp) - new Date(previous.timestamp) < GROUP_MILLISECONDS;
}

function article(message, continues, page) {
  const className = classes("message", {
    "is-continuation": continues,
    "is-ephemeral": Boolean(message.ephemeral_for),
    "mentions-me": mentionsMe(message, page.world.me),
  });
  const attributes = {
    class: className,
    testid: "message",
    "data-message-id": message.id,
    "aria-label": `Message from ${displayName(message.author)}`,
  };
  // Discord keeps neither an ephemeral message nor one that is still loading where a command could be used on it.
  const menu = message.ephemeral_for || isLoading(message) ? null : page.menu.button(message);
  return element(
    "article",
    attributes,
    origin(message, page),
    continues ? gutterTime(message) : portrait(message),
    element("div", { class: "message-column" }, continues ? null : header(message, menu), body(message, page)),
    continues ? menu : null,
  );
}

function originOf(message) {
  return message.interaction_metadata ?? message.interaction;
}

function origin(message, page) {
  const metadata = originOf(message);
  if (metadata?.user && metadata.type === 2) return commandHeader(metadata);
  if (message.referenced_message) return replyHeader(message.referenced_message, page);
  return null;
}

function portrait(message) {
  return element("div", { class: "message-portrait" }, avatar(message.author, 40));
}

function gutterTime(message) {
  return element("time", { class: "gutter-time", datetime: message.timestamp }, clockTime(new Date(message.timestamp)));
}

function header(message, menu) {
  const sent = new Date(message.timestamp);
  return element(
    "header",
    { class: "message-header" },
    element("span", { class: "author" }, displayName(message.author)),
    message.author.bot ? appBadge() : null,
    element("time", { class: "sent-at", datetime: message.timestamp, title: fullMoment(sent) }, headerTime(sent)),
    menu,
  );
}

export function appBadge() {
  return element("span", { class: "app-badge" }, "APP");
}

function body(message, page) {
  const drawing = { ...page, message, mentioned: message.mentions };
  const failure = page.presses.failure(message.id);
  return element(
    "div",
    { class: "message-body" },
    isLoading(message) ? thinking(message) : content(message, drawing),
    failure ? element("div", { class: "press-failure", role: "alert" }, icon("warning", 16), failure) : null,
    message.ephemeral_for ? ephemeralFooter(message, page) : null,
  );
}

function isLoading(message) {
  return message.loading || Boolean((message.flags ?? 0) & LOADING);
}

function thinking(message) {
  const dots = element(
    "span",
    { class: "thinking-dots", "aria-hidden": "true" },
    element("i"),
    element("i"),
    element("i"),
  );
  return element("div", { class: "thinking" }, dots, `${displayName(message.author)} is thinking…`);
}

function content(message, page) {
  const components = componentNodes(message.components ?? [], page);
  if ((message.flags ?? 0) & COMPONENTS_V2) return [components, message.edited_timestamp ? edited(message) : null];
  return [
    text(message, page),
    attachments(message.attachments ?? [], page),
    (message.embeds ?? []).map((one) => embed(one, page)),
    components,
  ];
}

function text(message, page) {
  if (!message.content) return null;
  const node = element(
    "div",
    { class: classes("markdown", { "is-jumbo": ONLY_EMOJI.test(message.content) }) },
    markdown(message.content, page),
  );
  if (!message.edited_timestamp) return node;
  const last = node.lastElementChild?.classList.contains("paragraph") ? node.lastElementChild : node;
  last.append(" ", edited(message));
  return node;
}

function edited(message) {
  return element("span", { class: "edited", title: fullMoment(new Date(message.edited_timestamp)) }, "(edited)");
}

function ephemeralFooter(message, page) {
  const dismiss = () => page.messages.dismiss(message.id);
  return element(
    "div",
    { class: "ephemeral-footer" },
    icon("eye", 16),
    "Only you can see this · ",
    element(
      "button",
      { class: "link-button", type: "button", on: { click: dismiss }, testid: "dismiss" },
      "Dismiss message",
    ),
  );
}
