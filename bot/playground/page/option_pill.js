// One option of the open command: its name, its editor, and the red outline with a sentence when it cannot be sent.

import { ATTACHMENT } from "./command_catalogue.js";
import { element } from "./elements.js";
import { choiceEditor, hasChoices } from "./option_choice.js";
import { fileEditor } from "./option_file.js";
import { textEditor } from "./option_text.js";

/** `line` is the CommandLine the pill stands in. */
export class OptionPill {
  option;
  editor;
  node;
  #line;
  #complaint;

  constructor(option, page, line) {
    this.option = option;
    this.#line = line;
    this.editor = this.#makeEditor(page);
    this.#complaint = element("span", { class: "option-complaint", role: "alert", hidden: true });
    this.node = element(
      "span",
      { class: "option-pill", "data-option": option.name },
      element("span", { class: "option-name" }, option.name),
      this.editor.node,
      this.#complaint,
    );
    this.node.addEventListener("pointerdown", (event) => this.#focusFromName(event));
    this.editor.field.addEventListener("focus", () => this.#focused());
    this.editor.field.addEventListener("blur", () => this.#blurred());
    this.editor.field.addEventListener("keydown", (event) => line.key(event, this));
  }

  focus() {
    this.editor.field.focus();
  }

  isEmpty() {
    return this.editor.value() === undefined && !this.editor.field.value;
  }

  /** Shows or clears the complaint; returns whether the value may be sent. */
  check() {
    const sentence = this.editor.complaint();
    this.node.classList.toggle("is-wrong", Boolean(sentence));
    this.#complaint.hidden = !sentence;
    this.#complaint.textContent = sentence ?? "";
    return !sentence;
  }

  /** The value for the server, after its upload has finished. */
  async finalValue() {
    return this.option.type === ATTACHMENT ? this.editor.finished() : this.editor.value();
  }

  #makeEditor(page) {
    const changed = () => this.#changed();
    if (this.option.type === ATTACHMENT) return fileEditor(this.option, changed);
    if (!hasChoices(this.option)) return textEditor(this.option, changed);
    return choiceEditor(this.option, page, {
      changed,
      suggest: (option) => this.#line.suggest(option),
      refresh: () => this.#line.showPanel(this),
      picked: () => this.#line.moveOn(this),
    });
  }

  #changed() {
    if (this.node?.classList.contains("is-wrong")) this.check();
    this.#line.showPanel(this);
  }

  #focusFromName(event) {
    if (event.target.closest(".option-name")) {
      event.preventDefault();
      this.focus();
    }
  }

  #focused() {
    this.node.classList.add("is-focused");
    this.editor.opened?.();
    this.#line.showPanel(this, { force: true });
  }

  #blurred() {
    this.node.classList.remove("is-focused");
    if (!this.isEmpty()) this.check();
    this.#line.left();
  }
}
