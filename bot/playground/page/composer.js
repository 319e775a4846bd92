// The composer: plain messages with files, and the door to commands. The text field stays the same element in both
// modes; with an open command it is the end of the command line, where optional options are found by name.

import { ChoicePanel } from "./choice_panel.js";
import { CommandLine } from "./command_line.js";
import { commandChoices, optionChoices } from "./composer_choices.js";
import { composerParts } from "./composer_parts.js";
import { UploadTray } from "./upload_tray.js";

const MAX_CONTENT = 2000;

export class Composer {
  panel;
  field;
  #page;
  #socket;
  #parts;
  #tray;
  #line;
  #place = "";

  constructor(page, socket, area) {
    this.#page = page;
    this.#socket = socket;
    this.#parts = composerParts(area, {
      send: () => this.#enter(),
      addFiles: (files) => this.addFiles(files),
      showOptional: () => this.#showOptional({ highlight: 0 }),
    });
    this.field = this.#parts.field;
    this.panel = new ChoicePanel(this.#parts.panel);
    this.#tray = new UploadTray(this.#parts.tray, page, () => this.#drawState());
    this.#line = new CommandLine(page, socket, this, this.#parts.line);
    this.#listen();
  }

  openCommand(command) {
    this.field.value = "";
    this.panel.hide();
    this.#line.open(command);
    if (document.activeElement === this.field) this.#typed();
    else this.#parts.grow();
  }

  openCommandNamed(name) {
    const command = this.#page.catalogue.named(name);
    if (command) this.openCommand(command);
    else this.#page.toasts.show(`There is no command /${name} right now.`);
  }

  /** Opens /finetune with these files in its attachment options. */
  openFinetune(uploads) {
    const command = this.#page.catalogue.finetune();
    if (!command) return this.#page.toasts.show("The bot has not told its commands yet. Try again in a moment.");
    this.openCommand(command);
    const left = this.#line.takeUploads(uploads);
    if (!left.length) return;
    this.#tray.restore(left);
    this.#page.toasts.show("Not every file fits into /finetune. Put your photos into one zip.");
  }

  useFilesWithFinetune() {
    this.openFinetune(this.#tray.take());
  }

  /** Files that were dropped, pasted or picked: into the open command, else into the tray. */
  addFiles(files) {
    if (!files.length) return;
    this.#tray.add(files);
    if (!this.#line.command) return this.field.focus();
    this.#tray.restore(this.#line.takeUploads(this.#tray.take()));
  }

  /** What dropping files would do now. */
  dropWords() {
    const { command } = this.#line;
    if (command)
      return { title: `Use with /${command.name}`, detail: "The file goes into the command you are writing." };
    return { title: "Drop to upload", detail: `Upload to #${this.#page.world.channel?.name ?? ""}` };
  }

  /** Puts words at the end of what is being written. */
  insert(words) {
    if (this.#line.command) return;
    this.field.value += words;
    this.field.focus();
    this.#typed();
  }

  /** The command line was left: back to plain text. */
  closed() {
    this.field.value = "";
    this.#line.close();
    this.field.focus();
  }

  sent() {
    this.closed();
    this.#page.list.toBottom();
  }

  lineChanged() {
    this.#drawState();
  }

  refresh() {
    this.#tray.redraw();
    if (this.field.value.startsWith("/") && document.activeElement === this.field) this.#typed();
  }

  /** Another channel or person: no half-written command goes along. A reconnect keeps it. */
  reset() {
    const { me, channel } = this.#page.world;
    const place = `${me.id} ${channel.id}`;
    if (this.#line.command && this.#place !== place) this.#line.close();
    this.#place = place;
    this.#drawState();
  }

  #listen() {
    this.field.addEventListener("input", () => this.#typed());
    this.field.addEventListener("keydown", (event) => this.#key(event));
    this.field.addEventListener("focus", () => this.#typed());
    this.field.addEventListener("blur", () => this.#line.command || this.panel.hide());
    this.field.addEventListener("paste", (event) => this.#paste(event));
  }

  #typed() {
    this.#parts.grow();
    this.#drawState();
    if (this.#line.command) return this.#showOptional({ highlight: this.field.value ? 0 : -1 });
    const typed = /^\/([^\n]*)$/.exec(this.field.value);
    if (typed) this.#showCommands(typed[1]);
    else this.panel.hide();
  }

  #showCommands(typed) {
    const found = this.#page.catalogue.matching(typed);
    const only = typed.endsWith(" ") && found.length === 1 && found[0].name === typed.trim();
    if (only) return this.openCommand(found[0]);
    const content = commandChoices(found, typed.trim(), this.#page, (command) => this.openCommand(command));
    if (content) this.panel.show(content);
    else this.panel.hide();
  }

  #showOptional({ highlight }) {
    const typed = this.field.value.trim().toLowerCase();
    const options = this.#line.remaining().filter((option) => option.name.toLowerCase().includes(typed));
    if (!options.length) return this.panel.hide();
    this.panel.show(optionChoices(options, this.#line.command, highlight, (option) => this.#addOption(option)));
    if (document.activeElement !== this.field) this.field.focus();
  }

  #addOption(option) {
    this.field.value = "";
    this.#line.addOption(option);
  }

  #key(event) {
    if (this.panel.handleKey(event) || event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#enter();
    }
    if (event.key === "Escape" && this.#line.command) this.closed();
    if (event.key === "Backspace" && !this.field.value && this.#line.command) {
      event.preventDefault();
      this.#line.removeLast();
    }
  }

  #enter() {
    const { command } = this.#line;
    const left = this.field.value.trim();
    if (!command) this.#say();
    else if (left) this.#page.toasts.show(`“${left}” is in no option of /${command.name}. Remove it or pick an option.`);
    else this.#line.submit();
  }

  async #say() {
    const content = this.field.value.trim();
    if (!this.#page.world.channel || (!content && !this.#tray.uploads.length)) return;
    if (content.length > MAX_CONTENT)
      return this.#page.toasts.show(`Your message is too long: ${content.length} of ${MAX_CONTENT} characters.`);
    const uploads = this.#tray.take();
    this.field.value = "";
    this.#typed();
    try {
      const answers = await Promise.all(uploads.map((upload) => upload.finished));
      await this.#socket.request("say", {
        channel_id: this.#page.world.channel.id,
        content,
        upload_ids: answers.map((answer) => answer.upload_id),
      });
      this.#page.list.toBottom();
    } catch (problem) {
      this.field.value ||= content;
      this.#tray.restore(uploads.filter((upload) => !upload.failure));
      this.#page.toasts.show(problem.message);
      this.#drawState();
    }
  }

  #paste(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    this.addFiles(files);
  }

  #drawState() {
    if (!this.#line) return;
    const { channel } = this.#page.world;
    this.#parts.draw({
      command: this.#line.command,
      optionalCount: this.#line.remaining().length,
      canSend: Boolean(this.#line.command || this.field.value.trim() || this.#tray.uploads.length),
      length: this.field.value.length,
      most: MAX_CONTENT,
      placeholder: channel ? `Message ${channel.type === 1 ? "@" : "#"}${channel.name}` : "",
    });
  }
}
