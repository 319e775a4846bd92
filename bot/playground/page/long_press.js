// Holding a finger on something, as phones open menus. A tap, a movement or a scroll is none; a mouse has hovering.

const HELD_MILLISECONDS = 450;
const TOLERANCE_PIXELS = 10;
const CLICK_DELAY_MILLISECONDS = 400;

/** Calls `held(item)`; `itemOf(target)` names the item under the finger, or null where there is nothing to hold. */
export function onLongPress(list, itemOf, held) {
  let press = null;
  const end = () => {
    clearTimeout(press?.timer);
    press?.item.classList.remove("is-held");
    press = null;
  };
  const finish = () => {
    const { item } = press;
    end();
    ignoreThisFinger();
    held(item);
  };
  list.addEventListener("pointerdown", (event) => {
    end();
    const item = event.pointerType === "touch" && event.isPrimary ? itemOf(event.target) : null;
    if (!item) return;
    item.classList.add("is-held");
    press = { item, x: event.clientX, y: event.clientY, timer: setTimeout(finish, HELD_MILLISECONDS) };
  });
  list.addEventListener("pointermove", (event) => {
    if (press && Math.hypot(event.clientX - press.x, event.clientY - press.y) > TOLERANCE_PIXELS) end();
  });
  for (const name of ["pointerup", "pointercancel"]) list.addEventListener(name, end);
}

/** What opens appears beneath a finger that is still down: lifting it must not press there. */
function ignoreThisFinger() {
  const over = new AbortController();
  const options = { capture: true, signal: over.signal };
  const stop = (event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  for (const name of ["click", "contextmenu"]) document.addEventListener(name, stop, options);
  for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, () => over.abort(), options);
  for (const name of ["pointerup", "pointercancel"])
    document.addEventListener(name, () => setTimeout(() => over.abort(), CLICK_DELAY_MILLISECONDS), options);
}
