// Commands that were sent and have no answer yet, under the last message; a failed one says so until it is dismissed.

import { avatar, displayName } from "./avatar.js";
import { element } from "./elements.js";
import { icon } from "./icons.js";
import { appBadge } from "./message.js";
import { commandHeader } from "./message_origin.js";

const LONGEST_WAIT_MILLISECONDS = 5000;

export class WaitingCommands {
  #page;
  #list;

  constructor(page, socket, list) {
    this.#page = page;
    this.#list = list;
    socket.on("interaction_waiting", (push) => this.#show(push));
    socket.on("interaction_answered", ({ interaction_id }) => this.#find(interaction_id)?.remove());
    socket.on("modal", ({ interaction_id }) => this.#find(interaction_id)?.remove());
    socket.on("interaction_failed", (push) => this.#fail(push));
    page.world.on("channel", () => list.replaceChildren());
  }

  #show({ interaction_id, channel_id, name, target_message_id }) {
    if (channel_id !== this.#page.world.channel?.id || this.#find(interaction_id)) return;
    const { me } = this.#page.world;
    const header = commandHeader({ user: me, name: String(name ?? "").replace(/^\//, ""), target_message_id });
    const row = this.#row(interaction_id, header);
    this.#list.append(row);
    setTimeout(() => !row.classList.contains("has-failed") && row.remove(), LONGEST_WAIT_MILLISECONDS);
  }

  #fail({ interaction_id, sentence }) {
    const row = this.#find(interaction_id);
    if (!row) return;
    row.classList.add("has-failed");
    const dismiss = element(
      "button",
      { class: "link-button", type: "button", on: { click: () => row.remove() } },
      "Dismiss",
    );
    row
      .querySelector(".message-body")
      .replaceChildren(
        element(
          "div",
          { class: "press-failure", role: "alert", testid: "command-failure" },
          icon("warning", 16),
          sentence || "The application did not respond",
          " · ",
          dismiss,
        ),
      );
  }

  #row(interactionId, header) {
    const { bot } = this.#page.world;
    const words = element(
      "div",
      { class: "thinking" },
      element("span", { class: "thinking-dots", "aria-hidden": "true" }, element("i"), element("i"), element("i")),
      "Sending command…",
    );
    return element(
      "li",
      { class: "row", "data-interaction-id": interactionId },
      element(
        "article",
        { class: "message is-waiting-command" },
        header,
        element("div", { class: "message-portrait" }, avatar(bot, 40)),
        element(
          "div",
          { class: "message-column" },
          element(
            "header",
            { class: "message-header" },
            element("span", { class: "author" }, displayName(bot)),
            appBadge(),
          ),
          element("div", { class: "message-body" }, words),
        ),
      ),
    );
  }

  #find(interactionId) {
    return [...this.#list.children].find((row) => row.dataset.interactionId === interactionId) ?? null;
  }
}
