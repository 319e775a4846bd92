// The panel above the composer: commands, options or choices, with one of them highlighted.
// The typing field keeps the focus and forwards its keys here.

import { element, replaceContent } from "./elements.js";

export class ChoicePanel {
  #node;
  #items = [];
  #highlight = -1;
  #pick = () => {};

  constructor(node) {
    this.#node = node;
    node.hidden = true;
    node.addEventListener("pointerdown", (event) => event.preventDefault());
    node.addEventListener("mousedown", (event) => event.preventDefault());
  }

  get isOpen() {
    return !this.#node.hidden;
  }

  /** items: {label, description, aside, picture}; `highlight` -1 leaves Enter to the field until an arrow is used. */
  show({ title, detail, items = [], note, testid, pick, highlight = 0 }) {
    this.#items = items;
    this.#pick = pick ?? (() => {});
    this.#highlight = items.length ? highlight : -1;
    const list = items.length
      ? element(
          "div",
          { class: "choice-list", role: "listbox", id: "choice-list" },
          items.map((item, position) => this.#choice(item, position, testid)),
        )
      : null;
    replaceContent(
      this.#node,
      title ? heading(title, detail) : null,
      list,
      note ? element("div", { class: "choice-note" }, note) : null,
    );
    this.#node.hidden = false;
    this.#mark();
  }

  hide() {
    this.#node.hidden = true;
    this.#items = [];
  }

  /** True when the key was meant for the panel. */
  handleKey(event) {
    if (!this.isOpen) return false;
    if (event.key === "Escape" && this.#items.length) return this.#done(event, () => this.hide());
    if (!this.#items.length) return false;
    if (event.key === "ArrowDown") return this.#done(event, () => this.#move(1));
    if (event.key === "ArrowUp") return this.#done(event, () => this.#move(-1));
    const isPick = event.key === "Enter" || (event.key === "Tab" && !event.shiftKey);
    if (isPick && this.#highlight >= 0) return this.#done(event, () => this.#pick(this.#items[this.#highlight]));
    return false;
  }

  #done(event, act) {
    event.preventDefault();
    event.stopPropagation();
    act();
    return true;
  }

  #move(step) {
    const { length } = this.#items;
    this.#highlight = this.#highlight < 0 && step < 0 ? length - 1 : (this.#highlight + step + length) % length;
    this.#mark();
  }

  #choice(item, position, testid) {
    const choose = () => this.#pick(item);
    return element(
      "div",
      {
        class: "choice",
        role: "option",
        id: `choice-${position}`,
        testid,
        "data-value": item.value,
        on: { click: choose, pointermove: () => this.#hover(position) },
      },
      item.picture ? item.picture() : null,
      element(
        "span",
        { class: "choice-words" },
        element("span", { class: "choice-label" }, item.label),
        item.description ? element("span", { class: "choice-description" }, item.description) : null,
      ),
      item.aside ? element("span", { class: "choice-aside" }, item.aside) : null,
    );
  }

  #hover(position) {
    if (this.#highlight === position) return;
    this.#highlight = position;
    this.#mark();
  }

  #mark() {
    [...this.#node.querySelectorAll(".choice")].forEach((node, position) => {
      node.setAttribute("aria-selected", String(position === this.#highlight));
      if (position === this.#highlight) node.scrollIntoView({ block: "nearest" });
    });
    const field = document.activeElement;
    if (!field?.matches("textarea, input")) return;
    if (this.#highlight >= 0) field.setAttribute("aria-activedescendant", `choice-${this.#highlight}`);
    else field.removeAttribute("aria-activedescendant");
  }
}

function heading(title, detail) {
  return element(
    "div",
    { class: "choice-heading" },
    element("strong", {}, title),
    detail ? element("span", {}, detail) : null,
  );
}
