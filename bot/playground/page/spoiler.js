// Something hidden until it is pressed: text, a picture or a whole container.

import { element } from "./elements.js";

export function spoiler(content, tag = "div") {
  const node = element(
    tag,
    { class: `spoiler is-${tag}`, role: "button", tabIndex: 0, "aria-label": "Spoiler, press to show" },
    content,
  );
  node.addEventListener("click", (event) => reveal(event, node), { capture: true });
  node.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") reveal(event, node);
  });
  return node;
}

export function markRevealed(node) {
  node.classList.add("is-revealed");
  for (const name of ["role", "tabindex", "aria-label"]) node.removeAttribute(name);
}

function reveal(event, node) {
  if (node.classList.contains("is-revealed")) return;
  event.preventDefault();
  event.stopPropagation();
  markRevealed(node);
}
