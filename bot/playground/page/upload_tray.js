// The files that will go out with the next message, above the text field, and the hint to use them with a command.

import { element, replaceContent } from "./elements.js";
import { icon } from "./icons.js";
import { uploadCard } from "./upload_card.js";
import { Upload } from "./uploads.js";

const MAX_FILES = 10;

export class UploadTray {
  uploads = [];
  #node;
  #page;
  #changed;

  /** `changed` runs whenever files come or go. */
  constructor(node, page, changed) {
    this.#node = node;
    this.#page = page;
    this.#changed = changed;
  }

  add(files) {
    const room = MAX_FILES - this.uploads.length;
    if (files.length > room)
      this.#page.toasts.show(`A message holds ${MAX_FILES} files. Put more photos into one zip.`);
    this.uploads.push(...[...files].slice(0, Math.max(0, room)).map((file) => new Upload(file)));
    this.#redraw();
  }

  /** Empties the tray and hands its uploads over. */
  take() {
    const taken = this.uploads;
    this.uploads = [];
    this.#redraw();
    return taken;
  }

  restore(uploads) {
    this.uploads = [...uploads, ...this.uploads];
    this.#redraw();
  }

  redraw() {
    this.#redraw();
  }

  #remove(upload) {
    upload.cancel();
    this.uploads = this.uploads.filter((other) => other !== upload);
    this.#redraw();
  }

  #redraw() {
    this.#node.hidden = !this.uploads.length;
    replaceContent(
      this.#node,
      element(
        "div",
        { class: "upload-cards" },
        this.uploads.map((upload) => uploadCard(upload, () => this.#remove(upload))),
      ),
      this.#hint(),
    );
    this.#changed();
  }

  #hint() {
    if (!this.uploads.length || !this.#page.catalogue.finetune()) return null;
    const use = () => this.#page.composer.useFilesWithFinetune();
    return element(
      "button",
      { class: "hint-chip", type: "button", testid: "use-with-finetune", on: { click: use } },
      icon("spark", 16),
      "Use with /finetune",
    );
  }
}
