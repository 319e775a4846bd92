// A string select as a field of a dialog.

import { selectField } from "./select_menu.js";

export function selectControl(component, { id, changed }) {
  let values = component.options.filter((option) => option.default).map((option) => option.value);
  const choose = (chosen) => {
    values = chosen;
    changed();
  };
  const field = selectField(component, { testid: `field-${component.custom_id}`, isWaiting: false, choose });
  field.id = id;
  return {
    node: field,
    focus: () => field.focus(),
    value: async () => values,
    complaint: () => (component.required !== false && !values.length ? "Make a selection." : null),
  };
}
