// The messages of the open channel, kept equal to the server's; message_list.js draws what is announced here.
// Announces "reset", "older", "added", "changed" and "removed".

import { Announcer } from "./announcer.js";

const PAGE_SIZE = 50;

export class Messages extends Announcer {
  list = [];
  reachedStart = false;
  #socket;
  #world;
  #loadingOlder = false;

  constructor(socket, world) {
    super();
    this.#socket = socket;
    this.#world = world;
    socket.on("message_create", ({ message }) => this.#add(message));
    socket.on("message_update", ({ message }) => this.#change(message));
    socket.on("message_delete", ({ id }) => this.#remove(id));
  }

  find(id) {
    return this.list.find((message) => message.id === id) ?? null;
  }

  /** Fetches the newest messages of the open channel. */
  async load() {
    const channelId = this.#world.channel?.id;
    if (!channelId) return;
    const { messages } = await this.#fetch(channelId);
    if (channelId !== this.#world.channel?.id) return;
    this.list = messages;
    this.reachedStart = messages.length < PAGE_SIZE;
    this.announce("reset", channelId);
  }

  async loadOlder() {
    if (this.#loadingOlder || this.reachedStart || !this.list.length) return;
    this.#loadingOlder = true;
    const channelId = this.#world.channel.id;
    try {
      const { messages } = await this.#fetch(channelId, this.list[0].id);
      if (channelId !== this.#world.channel?.id) return;
      this.list = [...messages, ...this.list];
      this.reachedStart = messages.length < PAGE_SIZE;
      this.announce("older");
    } finally {
      this.#loadingOlder = false;
    }
  }

  async dismiss(messageId) {
    await this.#socket.request("dismiss", { message_id: messageId });
    this.#remove(messageId);
  }

  #fetch(channelId, before) {
    return this.#socket.request("messages", { channel_id: channelId, limit: PAGE_SIZE, ...(before ? { before } : {}) });
  }

  #add(message) {
    if (message.channel_id !== this.#world.channel?.id) return;
    if (this.find(message.id)) return this.#change(message);
    this.list.push(message);
    this.announce("added", message);
  }

  #change(message) {
    const position = this.list.findIndex((known) => known.id === message.id);
    if (position < 0) return;
    this.list[position] = message;
    this.announce("changed", message);
  }

  #remove(id) {
    if (!this.find(id)) return;
    this.list = this.list.filter((message) => message.id !== id);
    this.announce("removed", id);
  }
}
