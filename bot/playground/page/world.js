// What the acting person sees of the playground: people, servers, channels, commands and the bot.
// Announces "changed" (anything), "channel" (another channel is open) and "person" (somebody else acts).

import { Announcer } from "./announcer.js";

const PERSON_KEY = "playground.person";
const CHANNEL_KEY = "playground.channel";
const STARTING_MILLISECONDS = 45000;

export class World extends Announcer {
  me = null;
  people = [];
  bot = null;
  botOnline = false;
  servers = [];
  commands = [];
  menus = [];
  channel = null;
  unread = new Map();
  #socket;
  #openedAt = Date.now();
  #hasBeenOnline = false;

  constructor(socket) {
    super();
    this.#socket = socket;
    socket.on("bot_status", ({ online }) => this.#botStatus(online));
    socket.on("commands", ({ commands, menus }) => this.#replace({ commands, menus }));
    socket.on("servers", ({ servers }) => this.#serversChanged(servers));
    socket.on("message_create", ({ message }) => this.#countUnread(message));
    setTimeout(() => this.announce("changed"), STARTING_MILLISECONDS);
  }

  /** Enters the playground as the person of the last visit in this tab, or as the first one. */
  async enter() {
    const remembered = sessionStorage.getItem(PERSON_KEY);
    try {
      await this.actAs(remembered);
    } catch (problem) {
      if (!remembered) throw problem;
      await this.actAs(null);
    }
  }

  async actAs(personId) {
    const seen = await this.#socket.request("act_as", { person_id: personId });
    sessionStorage.setItem(PERSON_KEY, seen.me.id);
    this.#hasBeenOnline ||= seen.bot_online;
    this.#replace({
      me: seen.me,
      people: seen.people,
      bot: seen.bot,
      botOnline: seen.bot_online,
      servers: seen.servers,
      commands: seen.commands ?? [],
      menus: seen.menus ?? [],
    });
    this.#reopenChannel();
    this.announce("person");
  }

  openChannel(channelId) {
    this.channel = this.channels().find((channel) => channel.id === channelId) ?? this.channels()[0] ?? null;
    if (!this.channel) return;
    sessionStorage.setItem(CHANNEL_KEY, this.channel.id);
    this.unread.delete(this.channel.id);
    this.announce("changed");
    this.announce("channel");
  }

  channels() {
    return this.servers.flatMap((server) => server.channels);
  }

  server() {
    return this.servers.find((server) => server.channels.includes(this.channel)) ?? this.servers[0] ?? null;
  }

  user(id) {
    if (this.bot?.id === id) return this.bot;
    return this.people.find((person) => person.id === id) ?? null;
  }

  /** "online", "starting" (never seen online in this visit) or "offline". */
  botStatus() {
    if (this.botOnline) return "online";
    const isEarly = Date.now() - this.#openedAt < STARTING_MILLISECONDS;
    return !this.#hasBeenOnline && isEarly ? "starting" : "offline";
  }

  #reopenChannel() {
    const text = this.channels().filter((channel) => channel.type !== 4);
    const wanted = this.channel?.id ?? sessionStorage.getItem(CHANNEL_KEY);
    this.openChannel(text.some((channel) => channel.id === wanted) ? wanted : text[0]?.id);
  }

  /** The open channel stays open, unless it is the one that is gone. */
  #serversChanged(servers) {
    const open = this.channel?.id;
    this.servers = servers;
    this.channel = this.channels().find((channel) => channel.id === open) ?? null;
    if (this.channel) this.announce("changed");
    else this.openChannel(undefined);
  }

  #botStatus(online) {
    this.#hasBeenOnline ||= online;
    this.#replace({ botOnline: online });
  }

  #countUnread(message) {
    if (!this.bot && message.author.bot) this.bot = message.author;
    if (message.channel_id === this.channel?.id || message.author.id === this.me?.id) return;
    const mentions = (message.mentions ?? []).some((user) => user.id === this.me?.id) ? 1 : 0;
    this.unread.set(message.channel_id, (this.unread.get(message.channel_id) ?? 0) + mentions);
    this.announce("changed");
  }

  #replace(fields) {
    Object.assign(this, fields);
    this.announce("changed");
  }
}
