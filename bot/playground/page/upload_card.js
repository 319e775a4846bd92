// A file on its way, as a card: picture or icon, name, size, progress and a way to remove it.

import { element } from "./elements.js";
import { fileIcon, isPicture, sizeInWords } from "./file_facts.js";
import { icon } from "./icons.js";

export function uploadCard(upload, remove, ...more) {
  const { file } = upload;
  const bar = element("span", { class: "progress-bar" });
  const size = element("span", { class: "upload-size" });
  const card = element(
    "div",
    { class: "upload-card", testid: "upload-card" },
    element(
      "div",
      { class: "upload-picture" },
      isPicture(file.type, file.name)
        ? element("img", { src: upload.preview, alt: "" })
        : icon(fileIcon(file.name, file.type), 36),
    ),
    element("div", { class: "upload-name", title: file.name }, file.name),
    size,
    element("span", { class: "progress", "aria-hidden": "true" }, bar),
    element(
      "button",
      {
        class: "icon-button upload-remove",
        type: "button",
        "aria-label": `Remove ${file.name}`,
        on: { click: remove },
      },
      icon("trash", 16),
    ),
    more,
  );
  const update = () => {
    bar.style.width = `${Math.round(upload.share * 100)}%`;
    size.textContent = upload.failure ?? sizeWords(upload);
    card.classList.toggle("is-finished", upload.isFinished);
    card.classList.toggle("has-failed", Boolean(upload.failure));
  };
  upload.on("progress", update);
  update();
  return card;
}

export function sizeWords(upload) {
  const total = sizeInWords(upload.file.size);
  return upload.isFinished || !upload.sent ? total : `${sizeInWords(upload.sent)} of ${total}`;
}
