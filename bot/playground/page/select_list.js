// The list a select opens: keyboard, mouse and touch; one choice closes it, several are sent when it closes.

import { emoji } from "./buttons.js";
import { element } from "./elements.js";
import { icon } from "./icons.js";
import { moveFocus, openPopup } from "./popup.js";

export function openSelectList(field, component, chosen, accept) {
  const most = component.max_values ?? 1;
  const values = new Set(chosen);
  const list = element("div", {
    class: "select-list",
    role: "listbox",
    "aria-multiselectable": most > 1 ? "true" : null,
  });
  const popup = openPopup(field, list, () => most > 1 && sendSeveral(component, chosen, values, accept));
  const pick = (option) => {
    if (most > 1) return toggle(option.value, values, most, list);
    popup.close();
    accept([option.value]);
  };
  list.append(
    ...component.options.map((option) => choice(option, values.has(option.value), most > 1, () => pick(option))),
  );
  list.addEventListener("keydown", (event) => moveFocus(event, list));
  (list.querySelector("[aria-selected=true]") ?? list.firstElementChild)?.focus();
}

function choice(option, isChosen, isMany, pick) {
  return element(
    "button",
    {
      class: "select-choice",
      type: "button",
      role: "option",
      "aria-selected": String(isChosen),
      "data-value": option.value,
      testid: `select-choice-${option.value}`,
      on: { click: pick },
    },
    option.emoji ? emoji(option.emoji) : null,
    element(
      "span",
      { class: "select-choice-words" },
      element("span", {}, option.label),
      option.description ? element("small", {}, option.description) : null,
    ),
    element("span", { class: isMany ? "tick is-square" : "tick" }, icon("check", 14)),
  );
}

function toggle(value, values, most, list) {
  if (values.has(value)) values.delete(value);
  else if (values.size < most) values.add(value);
  for (const node of list.children) node.setAttribute("aria-selected", String(values.has(node.dataset.value)));
}

function sendSeveral(component, before, values, accept) {
  const least = component.min_values ?? 1;
  const isSame = before.length === values.size && before.every((value) => values.has(value));
  if (isSame || values.size < least) return;
  accept(component.options.map((option) => option.value).filter((value) => values.has(value)));
}
