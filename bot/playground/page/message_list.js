// Puts messages on the page and keeps the reading position: at the bottom it stays there, elsewhere nothing jumps.

import { element, replaceContent } from "./elements.js";
import { icon } from "./icons.js";
import { messageRow } from "./message.js";
import { replaceKeepingPictures } from "./replacing.js";

const BOTTOM_TOLERANCE_PIXELS = 48;
const OLDER_MARGIN_PIXELS = 200;

export class MessageList {
  #page;
  #scroller;
  #list;
  #pill;
  #isAtBottom = true;
  #lastTop = 0;
  #newCount = 0;
  #shownChannel = null;

  constructor(page, scroller, list, content) {
    this.#page = page;
    this.#scroller = scroller;
    this.#list = list;
    this.#pill = element("button", {
      class: "jump-pill",
      type: "button",
      hidden: true,
      on: { click: () => this.toBottom() },
    });
    scroller.after(this.#pill);
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    const observer = new ResizeObserver(() => this.#isAtBottom && this.#stayAtBottom());
    observer.observe(content);
    observer.observe(scroller);
    this.#listen(page.messages);
  }

  toBottom() {
    this.#isAtBottom = true;
    this.#stayAtBottom();
    this.#showPill();
  }

  /** Draws one message again, for example when a button of it starts waiting. */
  redraw(messageId) {
    const position = this.#position(messageId);
    const row = document.getElementById(`row-${messageId}`);
    if (position < 0 || !row) return;
    replaceKeepingPictures(row, this.#draw(position));
  }

  /** Scrolls to a message and lights it up; false when it is not loaded. */
  reveal(messageId) {
    const row = document.getElementById(`row-${messageId}`);
    if (!row) return false;
    row.scrollIntoView({ block: "center" });
    row.classList.add("is-lit");
    setTimeout(() => row.classList.remove("is-lit"), 2000);
    return true;
  }

  #listen(messages) {
    messages.on("reset", (channelId) => this.#reset(channelId));
    messages.on("older", () => this.#older());
    messages.on("added", (message) => this.#added(message));
    messages.on("changed", (message) => this.redraw(message.id));
    messages.on("removed", (id) => this.#removed(id));
  }

  #reset(channelId) {
    const isSameChannel = this.#shownChannel === channelId;
    this.#shownChannel = channelId;
    if (isSameChannel) this.#mergeRows();
    else this.#list.replaceChildren(...this.#page.messages.list.map((_, position) => this.#draw(position)));
    this.#newCount = 0;
    if (!isSameChannel || this.#isAtBottom) this.toBottom();
    else this.#showPill();
  }

  /** After a reconnect or a change of person: same rows stay, so pictures do not load again. */
  #mergeRows() {
    const rows = this.#page.messages.list.map((_, position) => this.#draw(position));
    const known = new Map([...this.#list.children].map((row) => [row.id, row]));
    for (const row of rows) {
      if (known.has(row.id)) replaceKeepingPictures(known.get(row.id), row);
    }
    this.#list.replaceChildren(...rows);
  }

  #older() {
    const before = this.#scroller.scrollHeight;
    this.#list.replaceChildren(
      ...this.#page.messages.list.map(
        (message, position) => document.getElementById(`row-${message.id}`) ?? this.#draw(position),
      ),
    );
    this.#scroller.scrollTop += this.#scroller.scrollHeight - before;
  }

  #added(message) {
    const row = this.#draw(this.#position(message.id));
    row.classList.add("is-new");
    this.#list.append(row);
    if (message.author.id === this.#page.world.me?.id) this.#isAtBottom = true;
    if (this.#isAtBottom) this.#stayAtBottom();
    else this.#newCount += 1;
    this.#showPill();
  }

  #removed(id) {
    const row = document.getElementById(`row-${id}`);
    const next = row?.nextElementSibling;
    row?.remove();
    if (next) this.redraw(next.id.slice("row-".length));
  }

  #draw(position) {
    const { list } = this.#page.messages;
    return messageRow(list[position], list[position - 1] ?? null, this.#page);
  }

  #position(id) {
    return this.#page.messages.list.findIndex((message) => message.id === id);
  }

  /** Only scrolling up leaves the bottom; a picture that loads and makes the page longer does not. */
  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    const isNearBottom = scrollHeight - scrollTop - clientHeight < BOTTOM_TOLERANCE_PIXELS;
    this.#isAtBottom = isNearBottom || (this.#isAtBottom && scrollTop >= this.#lastTop);
    this.#lastTop = scrollTop;
    if (this.#isAtBottom) this.#newCount = 0;
    this.#showPill();
    if (scrollTop < OLDER_MARGIN_PIXELS) this.#page.messages.loadOlder().catch(() => {});
  }

  #stayAtBottom() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#newCount = 0;
  }

  #showPill() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    const isFarAway = scrollHeight - scrollTop - clientHeight > clientHeight;
    this.#pill.hidden = this.#isAtBottom || (!this.#newCount && !isFarAway);
    const words = this.#newCount ? `${this.#newCount} new message${this.#newCount > 1 ? "s" : ""}` : "Jump to present";
    replaceContent(this.#pill, words, icon("arrowDown", 16));
  }
}
