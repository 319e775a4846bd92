// Files dragged over the channel: an overlay says what dropping them will do.

import { element, replaceContent } from "./elements.js";
import { icon } from "./icons.js";

/** `words()` tells what a drop means now; `drop(files)` takes them. */
export function acceptDrops(area, overlay, words, drop) {
  let depth = 0;
  const hide = () => {
    depth = 0;
    overlay.hidden = true;
  };
  area.addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth += 1;
    if (overlay.hidden) showOverlay(overlay, words());
  });
  area.addEventListener("dragleave", (event) => {
    if (hasFiles(event) && --depth <= 0) hide();
  });
  area.addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
  area.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    hide();
    drop([...event.dataTransfer.files]);
  });
}

function hasFiles(event) {
  return [...(event.dataTransfer?.types ?? [])].includes("Files");
}

function showOverlay(overlay, { title, detail }) {
  replaceContent(
    overlay,
    element(
      "div",
      { class: "drop-card" },
      element("span", { class: "drop-icons" }, icon("archive", 40), icon("picture", 48), icon("file", 40)),
      element("strong", {}, title),
      element("span", {}, detail),
    ),
  );
  overlay.hidden = false;
}
