// Buttons of a message. A press shows dots until the bot has answered.

import { classes, element } from "./elements.js";
import { icon } from "./icons.js";
import { link } from "./links.js";

const STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link", 6: "primary" };
const BUTTON = 2;

export function button(component, page) {
  if (component.style === 5) return linkButton(component, page);
  const isWaiting = page.presses.isWaiting(page.message.id, component.custom_id);
  const attributes = {
    class: classes("button", `is-${STYLES[component.style] ?? "secondary"}`, { "is-waiting": isWaiting }),
    type: "button",
    disabled: Boolean(component.disabled) || isWaiting,
    testid: `button-${component.custom_id}`,
    "aria-busy": isWaiting ? "true" : null,
    on: { click: () => page.presses.press(page.message, component.custom_id, BUTTON) },
  };
  return element(
    "button",
    attributes,
    element("span", { class: "button-words" }, words(component)),
    isWaiting ? waitingDots() : null,
  );
}

function linkButton(component, page) {
  const inside = [element("span", { class: "button-words" }, words(component)), icon("external", 16)];
  if (component.disabled) return element("button", { class: "button is-secondary", disabled: true }, inside);
  return link(component.url ?? "", inside, page, "button is-secondary");
}

function words(component) {
  return [component.emoji ? emoji(component.emoji) : null, component.label ?? null];
}

/** A unicode emoji as it is, a custom one by its name. */
export function emoji(partial) {
  return element("span", { class: "component-emoji" }, partial.id ? `:${partial.name}:` : partial.name);
}

function waitingDots() {
  return element("span", { class: "thinking-dots", "aria-label": "Waiting" }, element("i"), element("i"), element("i"));
}
