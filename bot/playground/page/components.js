// Message components, by their type number: containers, sections, text, media, separators and rows of controls.

import { button } from "./buttons.js";
import { classes, element } from "./elements.js";
import { fileCard } from "./file_card.js";
import { gallery, thumbnail } from "./gallery.js";
import { markdown } from "./markdown.js";
import { mediaOf } from "./media.js";
import { selectMenu } from "./select_menu.js";
import { spoiler } from "./spoiler.js";

const DRAWINGS = {
  1: actionRow,
  2: button,
  3: selectMenu,
  9: section,
  10: textDisplay,
  11: thumbnail,
  12: mediaGallery,
  13: fileComponent,
  14: separator,
  17: container,
};

export function componentNodes(components, page) {
  return components.map((component) => (DRAWINGS[component.type] ?? unknown)(component, page));
}

function unknown(component) {
  return element("div", { class: "small-text" }, `A component of type ${component.type} cannot be shown here.`);
}

function actionRow(component, page) {
  return element("div", { class: "action-row" }, componentNodes(component.components ?? [], page));
}

function container(component, page) {
  const colour = component.accent_color;
  const hasColour = colour !== null && colour !== undefined;
  const style = hasColour ? { "--accent": hexColour(colour) } : {};
  const node = element(
    "div",
    { class: classes("container", { "has-accent": hasColour }), style },
    componentNodes(component.components ?? [], page),
  );
  return component.spoiler ? spoiler(node) : node;
}

function section(component, page) {
  const accessory = component.accessory ? componentNodes([component.accessory], page) : [];
  return element(
    "div",
    { class: "section" },
    element("div", { class: "section-text" }, componentNodes(component.components ?? [], page)),
    element("div", { class: "section-accessory" }, accessory),
  );
}

function textDisplay(component, page) {
  return element("div", { class: "markdown text-display" }, markdown(component.content, page));
}

function mediaGallery(component, page) {
  const items = component.items ?? [];
  return gallery(
    items.map((item) => ({
      ...mediaOf(item.media, page),
      description: item.description ?? "",
      isSpoiler: Boolean(item.spoiler),
    })),
    page,
  );
}

function fileComponent(component, page) {
  const file = mediaOf(component.file, page);
  const name = component.name ?? file.name;
  const card = fileCard({ name, size: component.size ?? file.size, url: file.url, contentType: file.contentType });
  return component.spoiler ? spoiler(card) : card;
}

function separator(component) {
  const className = classes("separator", {
    "is-line": component.divider !== false,
    "is-large": component.spacing === 2,
  });
  return element("div", { class: className, role: component.divider === false ? null : "separator" });
}

export function hexColour(number) {
  return `#${Number(number).toString(16).padStart(6, "0")}`;
}
