// The menu of a message: the commands the bot offers there, behind a small button or a finger held on the message.

import { avatar, displayName } from "./avatar.js";
import { element } from "./elements.js";
import { icon } from "./icons.js";
import { onLongPress } from "./long_press.js";
import { moveFocus, openMenu } from "./popup.js";

const HAS_A_TOUCH_OF_ITS_OWN = "a, .button, .select, video, audio";

export class MessageMenu {
  #page;
  #socket;

  constructor(page, socket, list) {
    this.#page = page;
    this.#socket = socket;
    page.world.on("changed", () => list.classList.toggle("has-menus", page.world.menus.length > 0));
    onLongPress(
      list,
      (target) => this.#held(target),
      (message) => this.#open(message.dataset.messageId, buttonOf(message)),
    );
  }

  /** The button on a message; shown while the bot offers commands. */
  button(message) {
    const open = (event) => this.#open(message.id, event.currentTarget);
    return element(
      "button",
      {
        class: "message-menu-button",
        type: "button",
        testid: "message-menu",
        title: "Apps",
        "aria-label": "Apps for this message",
        "aria-haspopup": "menu",
        "aria-expanded": "false",
        on: { click: open },
      },
      icon("more", 20),
    );
  }

  #held(target) {
    if (!this.#page.world.menus.length || target.closest(HAS_A_TOUCH_OF_ITS_OWN)) return null;
    const message = target.closest("[data-message-id]");
    return message && buttonOf(message) ? message : null;
  }

  #open(messageId, button) {
    const list = element("div", { class: "menu-list", role: "menu", "aria-label": "Apps", testid: "apps" });
    const popup = openMenu(button, [element("div", { class: "menu-title", "aria-hidden": "true" }, "Apps"), list]);
    const choose = (command) => {
      popup.close();
      this.#use(messageId, command);
    };
    list.append(...this.#page.world.menus.map((command) => this.#entry(command, () => choose(command))));
    popup.settle();
    list.addEventListener("keydown", (event) => moveFocus(event, list));
    list.firstElementChild?.focus();
  }

  #entry(command, choose) {
    const { bot } = this.#page.world;
    return element(
      "button",
      { class: "menu-entry", type: "button", role: "menuitem", testid: "menu-entry", on: { click: choose } },
      avatar(bot, 24),
      element(
        "span",
        { class: "menu-entry-words" },
        element("span", {}, command.name),
        element("small", {}, displayName(bot)),
      ),
    );
  }

  async #use(messageId, command) {
    try {
      await this.#socket.request("use_menu", { message_id: messageId, command_id: command.id });
      // Where it is seen that the command waits, and the answer to it.
      this.#page.list.toBottom();
    } catch (problem) {
      this.#page.toasts.show(problem.message);
    }
  }
}

function buttonOf(message) {
  return message.querySelector(".message-menu-button");
}
