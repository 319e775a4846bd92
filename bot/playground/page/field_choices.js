// Radio groups, groups of checkboxes and single checkboxes of a dialog.

import { element } from "./elements.js";

export function radioGroupControl(component, context) {
  const { inputs, node } = group("radio", component, context);
  const chosen = () => inputs.find((input) => input.checked)?.value;
  return {
    node,
    isGroup: true,
    focus: () => (inputs.find((input) => input.checked) ?? inputs[0])?.focus(),
    value: async () => chosen(),
    complaint: () => (component.required !== false && chosen() === undefined ? "Choose one." : null),
  };
}

export function checkboxGroupControl(component, context) {
  const { inputs, node } = group("checkbox", component, context);
  const chosen = () => inputs.filter((input) => input.checked).map((input) => input.value);
  return {
    node,
    isGroup: true,
    focus: () => inputs[0]?.focus(),
    value: async () => chosen(),
    complaint: () => countComplaint(component, chosen().length),
  };
}

export function checkboxControl(component, { id, label, changed }) {
  const input = element("input", {
    id,
    type: "checkbox",
    class: "choice-input",
    checked: Boolean(component.default),
    testid: `field-${component.custom_id}`,
    "aria-label": label ?? component.custom_id,
    on: { change: changed },
  });
  return {
    node: element("div", { class: "single-checkbox" }, input),
    isAlwaysAnswered: true,
    focus: () => input.focus(),
    value: async () => input.checked,
    complaint: () => null,
  };
}

function group(type, component, { id, changed }) {
  const inputs = [];
  const choices = component.options.map((option) => {
    const input = element("input", {
      type,
      name: id,
      class: "choice-input",
      value: option.value,
      checked: Boolean(option.default),
      testid: `choice-${component.custom_id}-${option.value}`,
      on: { change: changed },
    });
    inputs.push(input);
    return element(
      "label",
      { class: "choice-row" },
      input,
      element("span", {}, option.label, option.description ? element("small", {}, option.description) : null),
    );
  });
  const role = type === "radio" ? "radiogroup" : "group";
  return {
    inputs,
    node: element(
      "div",
      { class: "choice-group", role, "aria-labelledby": `${id}-label`, testid: `field-${component.custom_id}` },
      choices,
    ),
  };
}

function countComplaint(component, count) {
  if (!count && component.required === false) return null;
  const least = component.min_values ?? 1;
  const most = component.max_values ?? component.options.length;
  if (count < least) return `Choose at least ${least}.`;
  return count > most ? `Choose at most ${most}.` : null;
}
