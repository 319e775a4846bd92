// Embeds: the classic cards with a colour bar, fields, pictures and a footer.

import { hexColour } from "./components.js";
import { classes, element } from "./elements.js";
import { gallery, picture } from "./gallery.js";
import { link } from "./links.js";
import { markdown } from "./markdown.js";
import { mediaOf } from "./media.js";
import { headerTime } from "./moments.js";

export function embed(content, page) {
  const style = content.color === null || content.color === undefined ? {} : { "--accent": hexColour(content.color) };
  const image = content.image ? { ...mediaOf(content.image, page), isSpoiler: false } : null;
  return element(
    "article",
    { class: "embed", style },
    element(
      "div",
      { class: "embed-grid" },
      element(
        "div",
        { class: "embed-words" },
        author(content),
        title(content, page),
        description(content, page),
        fields(content, page),
      ),
      content.thumbnail
        ? element(
            "div",
            { class: "embed-thumbnail" },
            picture({ ...mediaOf(content.thumbnail, page), description: "" }),
          )
        : null,
    ),
    image ? gallery([image], page) : null,
    footer(content),
  );
}

function author({ author: person }) {
  return person?.name ? element("div", { class: "embed-author" }, person.name) : null;
}

function title(content, page) {
  if (!content.title) return null;
  const words = markdown(content.title, page);
  return element("div", { class: "embed-title" }, content.url ? link(content.url, words, page) : words);
}

function description(content, page) {
  return content.description
    ? element("div", { class: "markdown embed-description" }, markdown(content.description, page))
    : null;
}

function fields(content, page) {
  if (!content.fields?.length) return null;
  return element(
    "div",
    { class: "embed-fields" },
    content.fields.map((field) => oneField(field, page)),
  );
}

function oneField(field, page) {
  return element(
    "div",
    { class: classes("embed-field", { "is-inline": field.inline }) },
    element("div", { class: "embed-field-name" }, markdown(field.name, page)),
    element("div", { class: "markdown" }, markdown(field.value, page)),
  );
}

function footer(content) {
  const parts = [content.footer?.text, content.timestamp ? headerTime(new Date(content.timestamp)) : null].filter(
    Boolean,
  );
  return parts.length ? element("footer", { class: "embed-footer" }, parts.join(" • ")) : null;
}
