// Pressing buttons and choosing in selects: which wait for an answer, and which message shows a failure.

export class Presses {
  #socket;
  #interactions;
  #redraw;
  #waiting = new Set();
  #failures = new Map();

  /** `redraw(messageId)` draws a message again after its state changed here. */
  constructor(socket, interactions, redraw) {
    this.#socket = socket;
    this.#interactions = interactions;
    this.#redraw = redraw;
    socket.on("message_update", ({ message }) => this.#failures.delete(message.id));
  }

  isWaiting(messageId, customId) {
    return this.#waiting.has(key(messageId, customId));
  }

  failure(messageId) {
    return this.#failures.get(messageId) ?? null;
  }

  async press(message, customId, componentType, values) {
    if (this.isWaiting(message.id, customId)) return;
    this.#waiting.add(key(message.id, customId));
    this.#failures.delete(message.id);
    this.#redraw(message.id);
    const failure = await this.#send(message, customId, componentType, values);
    this.#waiting.delete(key(message.id, customId));
    if (failure) this.#failures.set(message.id, failure);
    this.#redraw(message.id);
  }

  async #send(message, customId, componentType, values) {
    const fields = {
      channel_id: message.channel_id,
      message_id: message.id,
      custom_id: customId,
      component_type: componentType,
    };
    try {
      const { interaction_id } = await this.#socket.request("press", values ? { ...fields, values } : fields);
      return await this.#interactions.ending(interaction_id);
    } catch (problem) {
      return problem.message || "This interaction failed";
    }
  }
}

function key(messageId, customId) {
  return `${messageId} ${customId}`;
}
