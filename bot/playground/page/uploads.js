// Sends files to the playground with progress. An Upload starts at once and is awaited when it is needed.

import { Announcer } from "./announcer.js";

const MAX_BYTES = 100 * 1024 * 1024;
const TOO_LARGE = "Your files are too powerful! The largest file allowed is 100 MB.";

/** One file on its way. Announces "progress"; `finished` resolves with the server's answer. */
export class Upload extends Announcer {
  file;
  sent = 0;
  isFinished = false;
  failure = null;
  finished;
  #request = new XMLHttpRequest();
  #preview = null;

  constructor(file) {
    super();
    this.file = file;
    this.finished = this.#start();
    this.finished.catch((problem) => this.#failed(problem));
  }

  get share() {
    if (this.isFinished) return 1;
    return this.file.size ? this.sent / this.file.size : 0;
  }

  /** A local address of the picture, made when it is first asked for. */
  get preview() {
    this.#preview ??= URL.createObjectURL(this.file);
    return this.#preview;
  }

  cancel() {
    this.#request.abort();
    if (this.#preview) URL.revokeObjectURL(this.#preview);
  }

  #start() {
    if (this.file.size > MAX_BYTES) return Promise.reject(new Error(TOO_LARGE));
    return new Promise((resolve, reject) => {
      const request = this.#request;
      request.open("POST", `/playground/uploads?name=${encodeURIComponent(this.file.name)}`);
      request.setRequestHeader("Content-Type", this.file.type || "application/octet-stream");
      request.upload.addEventListener("progress", (event) => this.#progress(event.loaded));
      request.addEventListener("load", () => this.#loaded(resolve, reject));
      request.addEventListener("error", () => reject(new Error(`${this.file.name} could not be uploaded.`)));
      request.addEventListener("abort", () => reject(new Error("The upload was cancelled.")));
      request.send(this.file);
    });
  }

  #progress(loaded) {
    this.sent = Math.min(loaded, this.file.size);
    this.announce("progress");
  }

  #loaded(resolve, reject) {
    const answer = parse(this.#request.responseText);
    if (this.#request.status >= 400 || !answer.upload_id)
      return reject(new Error(answer.error ?? `${this.file.name} could not be uploaded.`));
    this.isFinished = true;
    this.announce("progress");
    resolve(answer);
  }

  #failed(problem) {
    this.failure = problem.message;
    this.announce("progress");
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
