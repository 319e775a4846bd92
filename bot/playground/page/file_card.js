// A file that is not shown inline: icon, name, size and a way to download it.

import { element } from "./elements.js";
import { fileIcon, sizeInWords } from "./file_facts.js";
import { icon } from "./icons.js";

export function fileCard({ name, size, url, contentType }) {
  const address = url || null;
  return element(
    "div",
    { class: "file-card" },
    element("span", { class: "file-card-icon" }, icon(fileIcon(name, contentType), 28)),
    element(
      "div",
      { class: "file-card-words" },
      element(
        "a",
        { class: "file-card-name", href: address, download: name, target: "_blank", rel: "noopener", title: name },
        name,
      ),
      element("div", { class: "file-card-size" }, sizeInWords(size)),
    ),
    element(
      "a",
      {
        class: "icon-button",
        href: address,
        download: name,
        target: "_blank",
        rel: "noopener",
        "aria-label": `Download ${name}`,
      },
      icon("download"),
    ),
  );
}
