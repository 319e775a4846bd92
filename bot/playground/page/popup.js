// A floating box beside a field or a button: stays inside the window, closes on Escape, on a press elsewhere and
// after a choice.

import { element } from "./elements.js";

const MARGIN_PIXELS = 8;

/** Shows `content` under or above `anchor`, as wide as it; `closed` runs once, whatever closed it. */
export function openPopup(anchor, content, closed = () => {}) {
  const box = element("div", { class: "popup" }, content);
  const popup = open(anchor, box, closed);
  const field = anchor.getBoundingClientRect();
  box.style.width = `${field.width}px`;
  place(box, field, field.left);
  return popup;
}

/** Shows `content` under or above the button that opened it, as wide as it needs; `settle()` once it is complete. */
export function openMenu(button, content) {
  const box = element("div", { class: "popup is-menu" }, content);
  const popup = open(button, box, () => {});
  const anchor = button.getBoundingClientRect();
  return { ...popup, settle: () => place(box, anchor, anchor.right - box.offsetWidth) };
}

/** Arrow keys go from one entry of a list to the next. */
export function moveFocus(event, list) {
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  if (!(event.key in steps)) return;
  event.preventDefault();
  const nodes = [...list.children];
  const position = nodes.indexOf(document.activeElement) + steps[event.key];
  nodes[(position + nodes.length) % nodes.length].focus();
}

function open(anchor, box, closed) {
  const shade = element("div", { class: "popup-shade" });
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
  anchor.setAttribute("aria-expanded", "true");
  return { close };
}

function closeOnKey(event, close) {
  if (event.key !== "Escape" && event.key !== "Tab") return;
  event.preventDefault();
  event.stopPropagation();
  close();
}

function place(box, anchor, left) {
  box.style.left = `${Math.max(MARGIN_PIXELS, Math.min(left, innerWidth - box.offsetWidth - MARGIN_PIXELS))}px`;
  const below = innerHeight - anchor.bottom - MARGIN_PIXELS * 2;
  const isBelow = below > Math.min(box.offsetHeight, 320) || below > anchor.top;
  box.style.setProperty("--room", `${Math.round(isBelow ? below : anchor.top - MARGIN_PIXELS * 2)}px`);
  if (isBelow) box.style.top = `${anchor.bottom + 4}px`;
  else box.style.bottom = `${innerHeight - anchor.top + 4}px`;
}
