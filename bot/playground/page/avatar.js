// Draws a person's picture from the first letters of their name, in a colour that stays with them.

import { element } from "./elements.js";

const COLOURS = ["#c2410c", "#0f766e", "#7e22ce", "#be185d", "#1d4ed8", "#4d7c0f", "#a16207", "#0e7490"];
const BOT_COLOUR = "#5865f2";

export function displayName(user) {
  return user?.global_name || user?.username || "Unknown";
}

export function avatar(user, size = 40) {
  const style = { "--size": `${size}px`, "--fill": user?.bot ? BOT_COLOUR : colourOf(user?.id ?? "0") };
  return element(
    "span",
    { class: user?.bot ? "avatar is-bot" : "avatar", style, "aria-hidden": "true" },
    initials(displayName(user)),
  );
}

export function initials(name) {
  const words = name.split(/[\s_-]+/).filter(Boolean);
  const letters = words.slice(0, 2).map((word) => [...word][0]);
  return letters.join("").toUpperCase() || "?";
}

/** An avatar with the round status dot in its corner. */
export function avatarWithStatus(user, status, size = 32) {
  return element(
    "span",
    { class: "avatar-holder" },
    avatar(user, size),
    element("span", { class: `status-dot is-${status}`, "aria-hidden": "true" }),
  );
}

function colourOf(id) {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + character.charCodeAt(0)) >>> 0;
  return COLOURS[sum % COLOURS.length];
}
