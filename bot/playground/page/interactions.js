// Remembers how each interaction ended, whichever arrives first: the answer to our request or the push about it.

const LONGEST_WAIT_MILLISECONDS = 4000;

export class Interactions {
  #endings = new Map();
  #waiting = new Map();

  constructor(socket) {
    socket.on("interaction_answered", ({ interaction_id }) => this.#end(interaction_id, null));
    socket.on("modal", ({ interaction_id }) => this.#end(interaction_id, null));
    socket.on("interaction_failed", ({ interaction_id, sentence }) =>
      this.#end(interaction_id, sentence || "This interaction failed"),
    );
  }

  /** Resolves with null when the bot answered in time, else with the sentence to show. */
  ending(interactionId) {
    if (this.#endings.has(interactionId)) return Promise.resolve(this.#endings.get(interactionId));
    return new Promise((resolve) => {
      this.#waiting.set(interactionId, resolve);
      setTimeout(() => this.#end(interactionId, null), LONGEST_WAIT_MILLISECONDS);
    });
  }

  #end(interactionId, sentence) {
    if (this.#endings.has(interactionId)) return;
    this.#endings.set(interactionId, sentence);
    this.#waiting.get(interactionId)?.(sentence);
    this.#waiting.delete(interactionId);
  }
}
