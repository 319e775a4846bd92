// Pictures of a message in Discord's mosaics of one to ten, and the thumbnail beside a section.

import { classes, element } from "./elements.js";
import { mediaOf } from "./media.js";
import { spoiler } from "./spoiler.js";

const ROWS = {
  1: [1],
  2: [2],
  3: [3],
  4: [2, 2],
  5: [2, 3],
  6: [3, 3],
  7: [1, 3, 3],
  8: [2, 3, 3],
  9: [3, 3, 3],
  10: [1, 3, 3, 3],
};
const MAX_WIDTH = 550;
const MAX_HEIGHT = 350;

/** `items` are media objects with `description` and `isSpoiler`. */
export function gallery(items, page) {
  const shown = items.slice(0, 10);
  const columns = (ROWS[shown.length] ?? []).flatMap((count) => Array(count).fill(count));
  const cells = shown.map((item, position) => cell(item, columns[position], () => page.lightbox.show(shown, position)));
  return element("div", { class: `gallery has-${shown.length}` }, cells);
}

export function thumbnail(component, page) {
  const item = { ...mediaOf(component.media, page), description: component.description ?? "" };
  const node = element(
    "button",
    {
      class: "thumbnail",
      type: "button",
      "aria-label": openLabel(item),
      on: { click: () => page.lightbox.show([item], 0) },
    },
    picture(item),
    altHint(item),
  );
  return component.spoiler ? spoiler(node) : node;
}

function cell(item, columns, open) {
  const style = { "--span": String(6 / columns), ...(columns === 1 ? singleSize(item) : {}) };
  const className = classes("gallery-cell", { "is-natural": columns === 1 && Boolean(item.width) });
  const content = item.contentType.startsWith("video/") ? video(item) : pictureButton(item, open);
  return element("div", { class: className, style }, item.isSpoiler ? spoiler(content) : content);
}

function pictureButton(item, open) {
  return element(
    "button",
    { class: "gallery-picture", type: "button", "aria-label": openLabel(item), on: { click: open } },
    picture(item),
    altHint(item),
  );
}

function video(item) {
  return element("video", {
    src: item.url,
    controls: true,
    preload: "metadata",
    "aria-label": item.description || item.name,
  });
}

export function picture(item) {
  const node = element("img", {
    src: item.url,
    alt: item.description || item.name,
    decoding: "async",
    draggable: "false",
  });
  node.addEventListener("error", () => node.classList.add("is-broken"));
  return node;
}

function altHint(item) {
  return item.description ? element("span", { class: "alt-hint", title: item.description }, "ALT") : null;
}

function openLabel(item) {
  return `Open picture: ${item.description || item.name}`;
}

/** Reserves the room of a picture before it has loaded, so nothing jumps. */
function singleSize({ width, height }) {
  if (!width || !height) return {};
  const scale = Math.min(1, MAX_WIDTH / width, MAX_HEIGHT / height);
  return { "--width": `${Math.round(width * scale)}px`, "--ratio": `${width} / ${height}` };
}
