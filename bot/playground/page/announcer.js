// The smallest possible "tell everybody who listens"; the socket, the world and the messages extend it.

export class Announcer {
  #listeners = new Map();

  on(event, listener) {
    if (!this.#listeners.has(event)) this.#listeners.set(event, []);
    this.#listeners.get(event).push(listener);
  }

  announce(event, detail) {
    for (const listener of this.#listeners.get(event) ?? []) listener(detail);
  }
}
