// The elements of the composer and how they look in each state; composer.js decides the state.

import { element } from "./elements.js";
import { icon } from "./icons.js";

const COUNTER_FROM = 200;

export function composerParts(area, { send, addFiles, showOptional }) {
  const panel = element("div", { class: "choice-panel", testid: "choice-panel" });
  const tray = element("div", { class: "upload-tray", hidden: true });
  const line = element("span", { class: "command-line" });
  const field = textField();
  const optional = optionalChip(showOptional);
  const counter = element("span", { class: "character-counter", hidden: true });
  const sendButton = element(
    "button",
    {
      class: "send-button",
      type: "button",
      testid: "send",
      "aria-label": "Send",
      on: { click: send, mousedown: keepFocus },
    },
    icon("send"),
  );
  const box = element(
    "div",
    { class: "composer" },
    tray,
    element(
      "div",
      { class: "composer-row" },
      fileButton(addFiles),
      element("div", { class: "composer-middle" }, line, field, optional),
      counter,
      sendButton,
    ),
  );
  area.prepend(panel, box);

  const draw = (state) => {
    field.placeholder = state.command ? "" : state.placeholder;
    box.classList.toggle("has-command", Boolean(state.command));
    optional.hidden = !state.command || !state.optionalCount;
    optional.textContent = `+${state.optionalCount} optional`;
    sendButton.classList.toggle("is-ready", state.canSend);
    counter.hidden = state.most - state.length > COUNTER_FROM;
    counter.textContent = state.most - state.length;
    counter.classList.toggle("is-over", state.length > state.most);
  };
  return { panel, tray, line, field, draw, grow: () => grow(field) };
}

function textField() {
  return element("textarea", {
    class: "composer-field",
    rows: 1,
    testid: "composer",
    "aria-label": "Message",
    "aria-autocomplete": "list",
    "aria-controls": "choice-list",
    autocomplete: "off",
    enterkeyhint: "send",
  });
}

/** Pressing a button here leaves the focus in the field: a complaint shown on leaving would move the button away. */
function keepFocus(event) {
  event.preventDefault();
}

/** "+3 optional", the way to the options that need no value. */
function optionalChip(showOptional) {
  return element("button", {
    class: "optional-chip",
    type: "button",
    testid: "optional-options",
    hidden: true,
    on: { click: showOptional, mousedown: keepFocus },
  });
}

function fileButton(addFiles) {
  const input = element("input", { type: "file", multiple: true, hidden: true, testid: "file-picker" });
  input.addEventListener("change", () => {
    addFiles([...input.files]);
    input.value = "";
  });
  return [
    input,
    element(
      "button",
      {
        class: "icon-button plus-button",
        type: "button",
        "aria-label": "Upload files",
        on: { click: () => input.click() },
      },
      icon("plus", 22),
    ),
  ];
}

function grow(field) {
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight, innerHeight / 2)}px`;
}
