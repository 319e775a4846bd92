// The drawers: channels on a phone, members on narrow windows (hidden) and wide ones (shown).

const WIDE = "(min-width: 1000px)";
const SWIPE_PIXELS = 60;

export class Drawers {
  #root;

  constructor(root, shade) {
    this.#root = root;
    shade.addEventListener("click", () => this.close());
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
    root.querySelector(".conversation").addEventListener("click", () => root.classList.remove("has-members"));
    this.#swipes();
  }

  toggleDrawer() {
    this.#root.classList.toggle("has-drawer");
    this.#root.classList.remove("has-members");
  }

  /** On wide windows members are shown until hidden; elsewhere hidden until shown. */
  toggleMembers() {
    this.#root.classList.toggle(matchMedia(WIDE).matches ? "without-members" : "has-members");
    this.#root.classList.remove("has-drawer");
  }

  close() {
    this.#root.classList.remove("has-drawer", "has-members");
  }

  #swipes() {
    let start = null;
    this.#root.addEventListener("touchstart", (event) => (start = event.touches[0]), { passive: true });
    this.#root.addEventListener("touchend", (event) => this.#swiped(start, event.changedTouches[0]), { passive: true });
  }

  #swiped(start, end) {
    const across = end.clientX - start.clientX;
    if (Math.abs(across) < SWIPE_PIXELS || Math.abs(end.clientY - start.clientY) > Math.abs(across) / 2) return;
    if (start.target.closest?.("pre, .composer, dialog, video, audio")) return;
    if (across > 0 && this.#root.classList.contains("has-members")) this.close();
    else if (across > 0) this.#root.classList.add("has-drawer");
    else this.close();
  }
}
