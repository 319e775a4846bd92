// The quiet lines under the channel header: reconnecting, bot starting, bot offline.

import { displayName } from "./avatar.js";
import { element, replaceContent } from "./elements.js";
import { icon } from "./icons.js";

const PATIENCE_MILLISECONDS = 1200;

export class Banners {
  #node;
  #world;
  #isDisconnected = false;
  #disconnectTimer = null;

  constructor(node, world, socket) {
    this.#node = node;
    this.#world = world;
    world.on("changed", () => this.#draw());
    socket.on("connected", () => this.#connected());
    socket.on("disconnected", () => this.#disconnected());
  }

  #connected() {
    clearTimeout(this.#disconnectTimer);
    this.#disconnectTimer = null;
    this.#isDisconnected = false;
    this.#draw();
  }

  /** A short interruption is not worth a banner. */
  #disconnected() {
    this.#disconnectTimer ??= setTimeout(() => {
      this.#isDisconnected = true;
      this.#draw();
    }, PATIENCE_MILLISECONDS);
  }

  #draw() {
    replaceContent(
      this.#node,
      this.#isDisconnected ? waitingBanner("warning", "Reconnecting to the playground…") : this.#botBanner(),
    );
  }

  #botBanner() {
    if (!this.#world.me) return null;
    const name = this.#world.bot ? displayName(this.#world.bot) : "The bot";
    const status = this.#world.botStatus();
    if (status === "starting")
      return waitingBanner("calm", `${name} is starting. Its commands appear in a few seconds.`);
    if (status === "offline")
      return banner(
        "warning",
        icon("warning", 18),
        `${name} is offline. You can still read and write here; commands work again when it is back.`,
      );
    return null;
  }
}

function waitingBanner(kind, words) {
  return banner(kind, element("span", { class: "spinner", "aria-hidden": "true" }), words);
}

function banner(kind, sign, words) {
  return element("div", { class: `banner is-${kind}`, testid: "banner" }, sign, words);
}
