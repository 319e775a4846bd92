// The attachments of an ordinary message: pictures as a gallery, everything else as a player or a card.

import { element } from "./elements.js";
import { fileCard } from "./file_card.js";
import { isPicture } from "./file_facts.js";
import { gallery } from "./gallery.js";
import { mediaOfAttachment } from "./media.js";

export function attachments(list, page) {
  const media = list.map(mediaOfAttachment);
  const pictures = media.filter((item) => isPicture(item.contentType, item.name));
  const others = media.filter((item) => !isPicture(item.contentType, item.name));
  return [pictures.length ? gallery(pictures, page) : null, others.map(player)];
}

function player(item) {
  if (item.contentType.startsWith("video/"))
    return element("video", { class: "video", src: item.url, controls: true, preload: "metadata" });
  if (item.contentType.startsWith("audio/"))
    return element("audio", { class: "audio", src: item.url, controls: true, preload: "metadata" });
  return fileCard(item);
}
