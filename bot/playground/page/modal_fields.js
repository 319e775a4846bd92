// Turns the components of a dialog into labelled fields. A field is {customId, focus, check, value}.

import { element } from "./elements.js";
import { checkboxControl, checkboxGroupControl, radioGroupControl } from "./field_choices.js";
import { fileControl } from "./field_files.js";
import { selectControl } from "./field_select.js";
import { textControl } from "./field_text.js";
import { markdown } from "./markdown.js";

const ACTION_ROW = 1;
const TEXT_DISPLAY = 10;
const LABEL = 18;
const CONTROLS = {
  3: selectControl,
  4: textControl,
  19: fileControl,
  21: radioGroupControl,
  22: checkboxGroupControl,
  23: checkboxControl,
};

/** {nodes, fields}: what to show, and what to check and collect. */
export function modalParts(components, page) {
  const parts = components.flatMap((component) => onePart(component, page));
  return { nodes: parts.map(({ node }) => node), fields: parts.map(({ field }) => field).filter(Boolean) };
}

function onePart(component, page) {
  if (component.type === TEXT_DISPLAY)
    return [{ node: element("div", { class: "markdown modal-text" }, markdown(component.content, page)) }];
  if (component.type === ACTION_ROW)
    return component.components.map((inner) => labelled(inner.label, null, inner, page));
  if (component.type === LABEL) return [labelled(component.label, component.description, component.component, page)];
  return [labelled(component.label ?? null, null, component, page)];
}

function labelled(label, description, component, page) {
  const makeControl = CONTROLS[component.type];
  if (!makeControl)
    return { node: element("div", { class: "small-text" }, `A field of type ${component.type} cannot be shown here.`) };
  const id = `modal-field-${component.custom_id}`;
  const complaint = element("div", { class: "field-complaint", role: "alert", hidden: true, id: `${id}-complaint` });
  const control = makeControl(component, { id, label, description, changed: () => complaint.hidden || check(), page });
  const isRequired = component.required !== false && !control.isAlwaysAnswered;
  const title = label
    ? element(
        control.isGroup ? "div" : "label",
        { class: "field-label", id: `${id}-label`, for: control.isGroup ? null : id },
        label,
        isRequired ? element("span", { class: "required-mark", "aria-label": "required" }, " *") : null,
      )
    : null;
  const node = element(
    "div",
    { class: "field" },
    title,
    description ? element("div", { class: "field-description", id: `${id}-description` }, description) : null,
    control.node,
    complaint,
  );
  const check = () => {
    const sentence = control.complaint();
    node.classList.toggle("is-wrong", Boolean(sentence));
    complaint.hidden = !sentence;
    complaint.textContent = sentence ?? "";
    return !sentence;
  };
  return { node, field: { customId: component.custom_id, focus: control.focus, check, value: control.value } };
}
