// Builds DOM elements from plain values; text always becomes text nodes, so data can never become markup.
// Called by every module that draws something.

const ASSIGNED = new Set([
  "value",
  "checked",
  "disabled",
  "hidden",
  "multiple",
  "indeterminate",
  "readOnly",
  "htmlFor",
  "tabIndex",
]);

/** element("button", {class: "primary", on: {click}}, "Save") */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(node, name, value);
  append(node, children);
  return node;
}

export function append(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child);
  }
}

export function replaceContent(node, ...children) {
  node.replaceChildren();
  append(node, children);
}

function setAttribute(node, name, value) {
  if (value === null || value === undefined) return;
  if (name === "on") return listen(node, value);
  if (name === "style") return setStyle(node, value);
  if (ASSIGNED.has(name)) {
    node[name] = value;
    return;
  }
  if (name === "testid") return node.setAttribute("data-testid", value);
  if (value === false && !name.startsWith("aria-")) return;
  node.setAttribute(name, value === true && !name.startsWith("aria-") ? "" : String(value));
}

function listen(node, listeners) {
  for (const [event, listener] of Object.entries(listeners)) node.addEventListener(event, listener);
}

function setStyle(node, properties) {
  for (const [property, value] of Object.entries(properties)) node.style.setProperty(property, value);
}

/** The classes whose condition holds, joined: classes("message", {"is-mine": true}). */
export function classes(...names) {
  return names
    .flatMap((name) => (typeof name === "string" ? [name] : Object.keys(name ?? {}).filter((key) => name[key])))
    .join(" ");
}
