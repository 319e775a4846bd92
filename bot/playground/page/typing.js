// "Atelier is typing…" under the composer.

import { displayName } from "./avatar.js";
import { element, replaceContent } from "./elements.js";

const SHOWN_MILLISECONDS = 10000;

export class Typing {
  #node = element("div", { class: "typing", "aria-live": "polite" });
  #world;
  #until = new Map();

  constructor(area, world, socket) {
    this.#world = world;
    area.append(this.#node);
    socket.on("typing", (push) => this.#started(push));
    socket.on("message_create", ({ message }) => this.#stopped(message.author.id));
    world.on("channel", () => this.#clear());
  }

  #started({ channel_id, user_id }) {
    if (channel_id !== this.#world.channel?.id || user_id === this.#world.me?.id) return;
    clearTimeout(this.#until.get(user_id));
    this.#until.set(
      user_id,
      setTimeout(() => this.#stopped(user_id), SHOWN_MILLISECONDS),
    );
    this.#draw();
  }

  #stopped(userId) {
    clearTimeout(this.#until.get(userId));
    if (this.#until.delete(userId)) this.#draw();
  }

  #clear() {
    this.#until.forEach((timer) => clearTimeout(timer));
    this.#until.clear();
    this.#draw();
  }

  #draw() {
    const names = [...this.#until.keys()].map((id) => displayName(this.#world.user(id)));
    if (!names.length) return replaceContent(this.#node);
    const words =
      names.length > 3
        ? "Several people are typing…"
        : [element("strong", {}, names.join(", ")), names.length > 1 ? "are typing…" : "is typing…"];
    replaceContent(
      this.#node,
      element("span", { class: "thinking-dots", "aria-hidden": "true" }, element("i"), element("i"), element("i")),
      words,
    );
  }
}
