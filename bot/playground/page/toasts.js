// Short messages in the corner for what went wrong outside a message; they leave by themselves.

import { element } from "./elements.js";
import { icon } from "./icons.js";

const SHOWN_MILLISECONDS = 6000;

export class Toasts {
  #node;

  constructor(node) {
    this.#node = node;
  }

  show(sentence) {
    const toast = element(
      "div",
      { class: "toast", testid: "toast" },
      icon("warning", 18),
      element("span", {}, sentence),
    );
    const leave = () => toast.remove();
    toast.append(
      element(
        "button",
        { class: "icon-button", type: "button", "aria-label": "Close", on: { click: leave } },
        icon("close", 16),
      ),
    );
    this.#node.append(toast);
    setTimeout(leave, SHOWN_MILLISECONDS);
  }
}
