// A picture on the whole window, with its description, the neighbours of its gallery, and download.

import { element, replaceContent } from "./elements.js";
import { icon } from "./icons.js";

const SWIPE_PIXELS = 60;

export class Lightbox {
  #dialog;
  #items = [];
  #position = 0;

  constructor() {
    this.#dialog = element("dialog", { class: "lightbox", testid: "lightbox", "aria-label": "Picture" });
    this.#dialog.addEventListener("click", (event) => this.#closeOnBackground(event));
    this.#dialog.addEventListener("keydown", (event) => this.#key(event));
    this.#swipes();
    document.body.append(this.#dialog);
  }

  show(items, position) {
    this.#items = items;
    this.#position = position;
    this.#draw();
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#dialog.querySelector(".lightbox-close").focus();
  }

  #draw() {
    const item = this.#items[this.#position];
    replaceContent(
      this.#dialog,
      element("div", { class: "lightbox-tools" }, this.#tools(item)),
      this.#items.length > 1 ? this.#arrow("left", -1, "Previous picture") : null,
      element(
        "figure",
        { class: "lightbox-figure" },
        element("img", { src: item.url, alt: item.description || item.name }),
        this.#caption(item),
      ),
      this.#items.length > 1 ? this.#arrow("right", 1, "Next picture") : null,
    );
  }

  #tools(item) {
    return [
      element("span", { class: "lightbox-name" }, item.name),
      element(
        "a",
        {
          class: "icon-button",
          href: item.url,
          target: "_blank",
          rel: "noopener",
          "aria-label": "Open original",
          title: "Open original",
        },
        icon("external"),
      ),
      element(
        "a",
        { class: "icon-button", href: item.url, download: item.name, "aria-label": "Download", title: "Download" },
        icon("download"),
      ),
      element(
        "button",
        {
          class: "icon-button lightbox-close",
          type: "button",
          "aria-label": "Close",
          on: { click: () => this.#dialog.close() },
        },
        icon("close"),
      ),
    ];
  }

  #caption(item) {
    const count = this.#items.length > 1 ? `${this.#position + 1} of ${this.#items.length}` : null;
    if (!item.description && !count) return null;
    return element(
      "figcaption",
      {},
      item.description ? element("span", {}, item.description) : null,
      count ? element("small", {}, count) : null,
    );
  }

  #arrow(name, step, label) {
    return element(
      "button",
      {
        class: `lightbox-arrow is-${name}`,
        type: "button",
        "aria-label": label,
        on: { click: () => this.#move(step) },
      },
      icon(name, 28),
    );
  }

  #move(step) {
    this.#position = (this.#position + step + this.#items.length) % this.#items.length;
    this.#draw();
    this.#dialog.querySelector(`.lightbox-arrow.is-${step < 0 ? "left" : "right"}`)?.focus();
  }

  #key(event) {
    if (this.#items.length < 2) return;
    if (event.key === "ArrowLeft") this.#move(-1);
    if (event.key === "ArrowRight") this.#move(1);
  }

  /** A finger drawn sideways turns the page; two fingers zoom, as the browser does it. */
  #swipes() {
    let start = null;
    this.#dialog.addEventListener("touchstart", ({ touches }) => (start = touches.length === 1 ? touches[0] : null), {
      passive: true,
    });
    this.#dialog.addEventListener("touchend", ({ changedTouches }) => {
      const across = start ? changedTouches[0].clientX - start.clientX : 0;
      const isSwipe = Math.abs(across) > SWIPE_PIXELS && visualViewport.scale === 1;
      if (isSwipe && this.#items.length > 1) this.#move(across < 0 ? 1 : -1);
    });
  }

  #closeOnBackground(event) {
    if (event.target.closest("img, figcaption, a, button")) return;
    this.#dialog.close();
  }
}
