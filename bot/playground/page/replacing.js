// Replaces a drawn message by its newer drawing without a flicker: loaded pictures move over, spoilers stay open,
// the keyboard focus stays where it was.

import { markRevealed } from "./spoiler.js";

export function replaceKeepingPictures(oldRow, newRow) {
  keepPictures(oldRow, newRow);
  keepSpoilers(oldRow, newRow);
  const focused = oldRow.contains(document.activeElement) ? document.activeElement.dataset.testid : null;
  oldRow.replaceWith(newRow);
  if (focused) newRow.querySelector(`[data-testid="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

function keepPictures(oldRow, newRow) {
  const loaded = new Map([...oldRow.querySelectorAll("img")].map((picture) => [pictureKey(picture), picture]));
  for (const picture of newRow.querySelectorAll("img")) {
    const known = loaded.get(pictureKey(picture));
    if (!known) continue;
    loaded.delete(pictureKey(picture));
    known.alt = picture.alt;
    known.className = picture.className;
    picture.replaceWith(known);
  }
}

/** Signed addresses change their query while the picture stays the same. */
function pictureKey(picture) {
  return picture.src.split("?")[0];
}

function keepSpoilers(oldRow, newRow) {
  const before = [...oldRow.querySelectorAll(".spoiler")];
  const after = [...newRow.querySelectorAll(".spoiler")];
  if (before.length !== after.length) return;
  before.forEach((node, position) => {
    if (node.classList.contains("is-revealed")) markRevealed(after[position]);
  });
}
