// A floating box beside a field: stays inside the window, closes on Escape, on a press elsewhere and after a choice.

import { element } from "./elements.js";

const MARGIN_PIXELS = 8;

/** Shows `content` under or above `anchor`; `closed` runs once, whatever closed it. */
export function openPopup(anchor, content, closed = () => {}) {
  const shade = element("div", { class: "popup-shade" });
  const box = element("div", { class: "popup" }, content);
  const close = () => {
    if (!box.isConnected) return;
    shade.remove();
    box.remove();
    anchor.setAttribute("aria-expanded", "false");
    if (anchor.isConnected) anchor.focus({ preventScroll: true });
    closed();
  };
  shade.addEventListener("pointerdown", (event) => event.preventDefault());
  shade.addEventListener("click", close);
  box.addEventListener("keydown", (event) => closeOnKey(event, close));
  (anchor.closest("dialog") ?? document.body).append(shade, box);
  place(box, anchor.getBoundingClientRect());
  anchor.setAttribute("aria-expanded", "true");
  return { close };
}

function closeOnKey(event, close) {
  if (event.key !== "Escape" && event.key !== "Tab") return;
  event.preventDefault();
  event.stopPropagation();
  close();
}

function place(box, anchor) {
  box.style.width = `${anchor.width}px`;
  box.style.left = `${Math.max(MARGIN_PIXELS, Math.min(anchor.left, innerWidth - anchor.width - MARGIN_PIXELS))}px`;
  const below = innerHeight - anchor.bottom - MARGIN_PIXELS * 2;
  const isBelow = below > Math.min(box.offsetHeight, 320) || below > anchor.top;
  box.style.setProperty("--room", `${Math.round(isBelow ? below : anchor.top - MARGIN_PIXELS * 2)}px`);
  if (isBelow) box.style.top = `${anchor.bottom + 4}px`;
  else box.style.bottom = `${innerHeight - anchor.top + 4}px`;
}
