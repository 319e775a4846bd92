// Short and long text fields of a dialog.

import { element } from "./elements.js";

const PARAGRAPH = 2;
const MAX_LENGTH = 4000;

export function textControl(component, { id, changed }) {
  const isLong = component.style === PARAGRAPH;
  const most = component.max_length ?? MAX_LENGTH;
  const attributes = {
    id,
    class: "text-input",
    testid: `field-${component.custom_id}`,
    placeholder: component.placeholder ?? "",
    autocomplete: "off",
    "aria-required": String(component.required !== false),
    on: { input: () => update() },
  };
  const input = isLong
    ? element("textarea", { ...attributes, rows: 4 })
    : element("input", { ...attributes, type: "text" });
  const counter = element("span", { class: "field-counter" });
  const update = () => {
    counter.textContent = `${input.value.length}/${most}`;
    counter.classList.toggle("is-over", input.value.length > most);
    changed();
  };
  input.value = component.value ?? "";
  counter.textContent = `${input.value.length}/${most}`;
  return {
    node: element(
      "div",
      { class: isLong ? "text-field is-long" : "text-field" },
      input,
      component.max_length ? counter : null,
    ),
    focus: () => input.focus(),
    value: async () => input.value,
    complaint: () => complaint(component, input.value, most),
  };
}

function complaint(component, text, most) {
  if (!text.trim()) return component.required === false ? null : "This field is required.";
  if (text.length < (component.min_length ?? 0)) return `Must be at least ${component.min_length} characters long.`;
  return text.length > most ? `Must be ${most} characters or fewer.` : null;
}
