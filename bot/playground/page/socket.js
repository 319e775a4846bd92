// The one WebSocket to the playground: requests with answers, pushes as events, reconnects by itself.
// Built once in main.js; everybody else receives it.

import { Announcer } from "./announcer.js";

const FIRST_WAIT_MILLISECONDS = 400;
const LONGEST_WAIT_MILLISECONDS = 8000;
const NOT_CONNECTED = "Not connected to the playground. Try again in a moment.";

export class Socket extends Announcer {
  #address;
  #socket = null;
  #nextRequest = 1;
  #pending = new Map();
  #failures = 0;

  constructor(address) {
    super();
    this.#address = address;
  }

  /** Connects, and connects again whenever the connection is lost. Emits "connected" and "disconnected". */
  connect() {
    const socket = new WebSocket(this.#address);
    this.#socket = socket;
    socket.addEventListener("open", () => this.#opened());
    socket.addEventListener("message", (event) => this.#receive(JSON.parse(event.data)));
    socket.addEventListener("close", () => this.#closed());
  }

  /** Sends one action; resolves with its `ok` object, rejects with an Error carrying the sentence to show. */
  request(action, fields = {}) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return Promise.reject(new Error(NOT_CONNECTED));
    const re = this.#nextRequest++;
    const answer = new Promise((resolve, reject) => this.#pending.set(re, { resolve, reject }));
    this.#socket.send(JSON.stringify({ do: action, re, ...fields }));
    return answer;
  }

  #opened() {
    this.#failures = 0;
    this.announce("connected", {});
  }

  #closed() {
    for (const { reject } of this.#pending.values()) reject(new Error(NOT_CONNECTED));
    this.#pending.clear();
    this.announce("disconnected", { attempts: this.#failures });
    const wait = Math.min(LONGEST_WAIT_MILLISECONDS, FIRST_WAIT_MILLISECONDS * 2 ** this.#failures++);
    setTimeout(() => this.connect(), wait * (0.75 + Math.random() / 2));
  }

  #receive(frame) {
    if (frame.event) return this.announce(frame.event, frame);
    const waiting = this.#pending.get(frame.re);
    if (!waiting) return;
    this.#pending.delete(frame.re);
    if (frame.error) waiting.reject(new Error(frame.error));
    else waiting.resolve(frame.ok ?? {});
  }
}
