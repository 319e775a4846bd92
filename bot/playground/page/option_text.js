// The editors for typed options: text grows with what is written, numbers are checked as numbers.

import { element } from "./elements.js";
import { allowedRange, STRING, textComplaint, typedValue } from "./option_rules.js";

/** Text and number options. Every editor has {node, focus, value, complaint, panel}. */
export function textEditor(option, changed) {
  const isText = option.type === STRING;
  const field = element("textarea", {
    class: "option-field",
    rows: 1,
    testid: `option-${option.name}`,
    "aria-label": option.name,
    spellcheck: isText ? "true" : "false",
    inputmode: isText ? "text" : "decimal",
    autocomplete: "off",
    enterkeyhint: "send",
  });
  field.addEventListener("input", () => {
    if (field.value.includes("\n")) field.value = field.value.replaceAll("\n", " ");
    fit(field);
    changed();
  });
  fit(field);
  return {
    node: field,
    field,
    value: () => (field.value.trim() ? typedValue(option, field.value.trim()) : undefined),
    complaint: () => textComplaint(option, field.value.trim()),
    panel: () => ({
      title: option.name,
      detail: option.description,
      note: allowedRange(option) ? `Allowed: ${allowedRange(option)}` : null,
    }),
  };
}

/** Width and height for browsers without `field-sizing: content`. */
export function fit(field) {
  if (CSS.supports("field-sizing", "content")) return;
  field.style.width = `${Math.max(3, field.value.length + 1)}ch`;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}
