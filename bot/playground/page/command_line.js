// The open command in the composer: its name, pills for its options, and sending it.

import { ATTACHMENT } from "./command_catalogue.js";
import { element, replaceContent } from "./elements.js";
import { isArchive } from "./file_facts.js";
import { OptionPill } from "./option_pill.js";

export class CommandLine {
  command = null;
  #page;
  #socket;
  #composer;
  #node;
  #pills = [];
  #isSending = false;

  /** `composer` offers {panel, field, closed(), sent()}. */
  constructor(page, socket, composer, node) {
    this.#page = page;
    this.#socket = socket;
    this.#composer = composer;
    this.#node = node;
  }

  open(command) {
    this.command = command;
    this.#pills = command.options
      .filter((option) => option.required)
      .map((option) => new OptionPill(option, this.#page, this));
    this.#draw();
    this.#focusFirst();
  }

  close() {
    this.command = null;
    this.#pills = [];
    this.#draw();
    this.#composer.panel.hide();
  }

  /** The options that have no pill yet. */
  remaining() {
    const shown = new Set(this.#pills.map((pill) => pill.option.name));
    return (this.command?.options ?? []).filter((option) => !shown.has(option.name));
  }

  addOption(option) {
    const pill = new OptionPill(option, this.#page, this);
    this.#pills.push(pill);
    this.#draw();
    pill.focus();
  }

  /** Takes files into the empty attachment options, adding optional ones; returns the uploads that found no room. */
  takeUploads(uploads) {
    const kept = uploads.filter((upload) => !this.#takeUpload(upload));
    this.#focusFirst();
    // Everything needed is there: the list of what else is possible would only hide the conversation.
    if (document.activeElement === this.#composer.field) this.#composer.panel.hide();
    return kept;
  }

  /** A zip goes into the option named for one, anything else into the other options, while they have room. */
  #takeUpload(upload) {
    const isEmpty = (option) => this.#pillOf(option)?.editor.isEmpty() ?? true;
    const empty = this.command.options.filter((option) => option.type === ATTACHMENT && isEmpty(option));
    const fits = (option) => isArchive(option.name) === isArchive(upload.file.name);
    const option = empty.find(fits) ?? empty[0];
    if (!option) return false;
    (this.#pillOf(option) ?? this.#addSilently(option)).editor.setUpload(upload);
    return true;
  }

  #pillOf(option) {
    return this.#pills.find((pill) => pill.option === option);
  }

  /** Values typed so far, for autocomplete. */
  suggest(option) {
    const options = {};
    for (const pill of this.#pills) {
      if (pill.option.type !== ATTACHMENT && pill.editor.value() !== undefined)
        options[pill.option.name] = pill.editor.value();
    }
    options[option.name] ??= "";
    return this.#socket.request("autocomplete", { ...this.#address(), options, focused: option.name });
  }

  showPanel(pill) {
    if (document.activeElement === pill.editor.field) this.#composer.panel.show(pill.editor.panel());
  }

  left() {
    setTimeout(() => {
      if (!this.#node.contains(document.activeElement) && document.activeElement !== this.#composer.field)
        this.#composer.panel.hide();
    });
  }

  /** After a choice: the next empty required option, else the end of the line. */
  moveOn() {
    const next = this.#pills.find((pill) => pill.option.required && pill.isEmpty());
    if (next) next.focus();
    else this.#composer.field.focus();
  }

  key(event, pill) {
    if (this.#composer.panel.handleKey(event)) return;
    if (event.isComposing) return;
    if (event.key === "Enter") {
      event.preventDefault();
      this.submit();
    }
    if (event.key === "Escape") this.#composer.closed();
    if (event.key === "Backspace" && pill.isEmpty()) this.#removeOrClose(event, pill);
  }

  /** Backspace at the end of the line. */
  removeLast() {
    const last = this.#pills.at(-1);
    if (last && (last.option.required || !last.isEmpty())) last.focus();
    else if (last) this.#remove(last);
    else this.#composer.closed();
  }

  async submit() {
    if (this.#isSending || !this.#allCorrect()) return;
    this.#isSending = true;
    this.#node.classList.add("is-sending");
    try {
      await this.#send();
      this.#composer.sent();
    } catch (problem) {
      this.#allCorrect();
      this.#page.toasts.show(problem.message);
    } finally {
      this.#isSending = false;
      this.#node.classList.remove("is-sending");
    }
  }

  async #send() {
    const address = this.#address();
    const options = {};
    for (const pill of this.#pills) {
      const value = await pill.finalValue();
      if (value !== undefined) options[pill.option.name] = value;
    }
    await this.#socket.request("command", { ...address, options });
  }

  #address() {
    return { channel_id: this.#page.world.channel.id, command_id: this.command.id, path: this.command.path };
  }

  #allCorrect() {
    const wrong = this.#pills.filter((pill) => !pill.check());
    wrong[0]?.focus();
    return !wrong.length;
  }

  #addSilently(option) {
    const pill = new OptionPill(option, this.#page, this);
    this.#pills.push(pill);
    this.#draw();
    return pill;
  }

  #removeOrClose(event, pill) {
    event.preventDefault();
    if (!pill.option.required) return this.#remove(pill);
    const position = this.#pills.indexOf(pill);
    if (position > 0) this.#pills[position - 1].focus();
    else this.#composer.closed();
  }

  #remove(pill) {
    this.#pills = this.#pills.filter((other) => other !== pill);
    this.#draw();
    this.#composer.field.focus();
  }

  #focusFirst() {
    const empty = this.#pills.find((pill) => pill.isEmpty());
    if (empty) empty.focus();
    else this.#composer.field.focus();
  }

  #draw() {
    if (!this.command) replaceContent(this.#node);
    else
      replaceContent(
        this.#node,
        element("span", { class: "command-name" }, `/${this.command.name}`),
        this.#pills.map((pill) => pill.node),
      );
    this.#composer.lineChanged();
  }
}
