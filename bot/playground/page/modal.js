// The dialog a bot opens: fields from its components, checked here, sent with Submit, closed when the bot has answered.

import { avatar, displayName } from "./avatar.js";
import { element } from "./elements.js";
import { icon } from "./icons.js";
import { modalParts } from "./modal_fields.js";

const FAILURE = "Something went wrong. Try again.";

export class Modals {
  #page;
  #socket;
  #interactions;
  #dialog = null;

  constructor(page, socket, interactions) {
    this.#page = page;
    this.#socket = socket;
    this.#interactions = interactions;
    socket.on("modal", (push) => this.#open(push));
  }

  #open(push) {
    this.#dialog?.close();
    const { nodes, fields } = modalParts(push.components ?? [], this.#page);
    const failure = element("div", { class: "modal-failure", role: "alert", hidden: true, testid: "modal-failure" });
    const submit = element(
      "button",
      { class: "button is-primary", type: "submit", testid: "modal-submit" },
      element("span", { class: "button-words" }, "Submit"),
    );
    const form = element(
      "form",
      { class: "modal-form", method: "dialog", novalidate: true },
      this.#heading(push),
      element("div", { class: "modal-fields" }, failure, nodes),
      element(
        "footer",
        { class: "modal-footer" },
        element(
          "button",
          { class: "button is-secondary", type: "button", testid: "modal-cancel", on: { click: () => dialog.close() } },
          "Cancel",
        ),
        submit,
      ),
    );
    const dialog = element("dialog", { class: "modal", testid: "modal", "aria-label": push.title }, form);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit({ push, fields, failure, submit, dialog });
    });
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    this.#dialog = dialog;
    dialog.showModal();
    // On a touch screen the keyboard would cover half of the dialog before it has been read.
    if (!matchMedia("(pointer: coarse)").matches) fields[0]?.focus();
  }

  #heading(push) {
    const { bot } = this.#page.world;
    const close = () => this.#dialog.close();
    return element(
      "header",
      { class: "modal-header" },
      avatar(bot, 32),
      element("div", {}, element("h2", {}, push.title), element("small", {}, `This form goes to ${displayName(bot)}.`)),
      element(
        "button",
        { class: "icon-button", type: "button", "aria-label": "Close", on: { click: close } },
        icon("close"),
      ),
    );
  }

  async #submit({ push, fields, failure, submit, dialog }) {
    const wrong = fields.filter((field) => !field.check());
    if (wrong.length) return wrong[0].focus();
    failure.hidden = true;
    setWaiting(submit, true);
    const sentence = await this.#send(push, fields);
    setWaiting(submit, false);
    if (!sentence) return dialog.close();
    failure.textContent = sentence;
    failure.hidden = false;
    failure.scrollIntoView({ block: "nearest" });
  }

  /** Resolves with null when the bot has taken the answers, else with the sentence to show. */
  async #send(push, fields) {
    let values;
    try {
      values = await collect(fields);
    } catch (problem) {
      return problem.message;
    }
    try {
      const { interaction_id } = await this.#socket.request("submit_modal", {
        modal_interaction_id: push.interaction_id,
        custom_id: push.custom_id,
        values,
      });
      return (await this.#interactions.ending(interaction_id)) ? FAILURE : null;
    } catch (problem) {
      return problem.message || FAILURE;
    }
  }
}

async function collect(fields) {
  const values = {};
  for (const field of fields) {
    const value = await field.value();
    if (value !== undefined) values[field.customId] = value;
  }
  return values;
}

function setWaiting(button, isWaiting) {
  button.disabled = isWaiting;
  button.classList.toggle("is-waiting", isWaiting);
  button.querySelector(".thinking-dots")?.remove();
  if (isWaiting)
    button.append(
      element("span", { class: "thinking-dots", "aria-label": "Waiting" }, element("i"), element("i"), element("i")),
    );
}
