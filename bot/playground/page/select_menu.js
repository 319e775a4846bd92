// A string select in a message or a dialog: a field that opens a list of choices.

import { emoji } from "./buttons.js";
import { classes, element, replaceContent } from "./elements.js";
import { icon } from "./icons.js";
import { openSelectList } from "./select_list.js";

const STRING_SELECT = 3;

/** The select of a message; choosing sends the values to the bot. */
export function selectMenu(component, page) {
  const isWaiting = page.presses.isWaiting(page.message.id, component.custom_id);
  const choose = (values) => page.presses.press(page.message, component.custom_id, STRING_SELECT, values);
  return selectField(component, { testid: `select-${component.custom_id}`, isWaiting, choose });
}

/** The field itself; `choose(values)` is called when the list closes with a new choice. */
export function selectField(component, { testid, isWaiting, choose }) {
  let chosen = component.options.filter((option) => option.default).map((option) => option.value);
  const field = element("button", {
    class: classes("select", { "is-waiting": isWaiting }),
    type: "button",
    testid,
    disabled: Boolean(component.disabled) || isWaiting,
    "aria-haspopup": "listbox",
    "aria-expanded": "false",
    "aria-label": component.placeholder || "Make a selection",
  });
  const show = () =>
    replaceContent(field, element("span", { class: "select-words" }, chosenWords(component, chosen)), icon("down", 18));
  const accept = (values) => {
    chosen = values;
    show();
    choose(values);
  };
  field.addEventListener("click", () => openSelectList(field, component, chosen, accept));
  show();
  return field;
}

function chosenWords(component, values) {
  const options = component.options.filter((option) => values.includes(option.value));
  if (!options.length) return element("span", { class: "placeholder" }, component.placeholder || "Make a selection");
  if (options.length === 1) return [options[0].emoji ? emoji(options[0].emoji) : null, options[0].label];
  return options.map((option) => element("span", { class: "select-token" }, option.label));
}
