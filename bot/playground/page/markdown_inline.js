// Inline marks: bold, italic, underline, strike, code, spoilers, links, mentions, timestamps and emoji names.
// Each rule is a sticky pattern and the function that draws what it found; the first rule that fits wins.

import { element } from "./elements.js";
import { link } from "./links.js";
import { channelMention, commandMention, everyoneMention, personMention, roleMention } from "./mentions.js";
import { timestampMark } from "./moments.js";
import { spoiler } from "./spoiler.js";

const MAX_DEPTH = 12;
const URL_TEXT = "https?:\\/\\/[^\\s<>()]+(?:\\([^\\s<>()]*\\)[^\\s<>()]*)*";

const RULES = [
  [/\\([^0-9A-Za-z\s])/y, ([, character]) => character],
  [/(`+)([\s\S]*?[^`])\1(?!`)/y, ([, , code]) => element("code", { class: "inline-code" }, code.trim() || code)],
  [
    new RegExp(`\\[((?:\\\\.|\\[[^\\]]*\\]|[^\\[\\]\\\\])+)\\]\\(<?(${URL_TEXT})>?(?:\\s+"[^"]*")?\\)`, "y"),
    ([, words, address], draw, page) => link(address, draw(words), page),
  ],
  [/<(https?:\/\/[^\s<>]+)>/y, ([, address], draw, page) => link(address, address, page)],
  [new RegExp(`${URL_TEXT}`, "y"), drawBareLink],
  [/<@!?(\d+)>/y, ([, id], draw, page) => personMention(id, page)],
  [/<@&(\d+)>/y, () => roleMention()],
  [/<#(\d+)>/y, ([, id], draw, page) => channelMention(id, page)],
  [/<\/([^:>]+):(\d+)>/y, ([, name], draw, page) => commandMention(name, page)],
  [/<t:(-?\d{1,13})(?::([tTdDfFR]))?>/y, ([, seconds, style]) => timestampMark(Number(seconds), style)],
  [/<a?:(\w+):\d+>/y, ([, name]) => element("span", { class: "emoji-name" }, `:${name}:`)],
  [/@(everyone|here)\b/y, ([, name]) => everyoneMention(name)],
  [/\|\|([\s\S]+?)\|\|/y, ([, words], draw) => spoiler(element("span", {}, draw(words)), "span")],
  [/\*\*((?:\\[\s\S]|[^\\])+?)\*\*(?!\*)/y, ([, words], draw) => element("strong", {}, draw(words))],
  [/__((?:\\[\s\S]|[^\\])+?)__(?!_)/y, ([, words], draw) => element("u", {}, draw(words))],
  [/~~((?:\\[\s\S]|[^\\])+?)~~(?!~)/y, ([, words], draw) => element("s", {}, draw(words))],
  [
    /\*(?![\s*])((?:\\[\s\S]|\*\*[^*]+\*\*|[^\\*])+?)(?<!\s)\*(?!\*)/y,
    ([, words], draw) => element("em", {}, draw(words)),
  ],
  [/(?<!\w)_(?![\s_])((?:\\[\s\S]|__[^_]+__|[^\\_])+?)_(?!\w)/y, ([, words], draw) => element("em", {}, draw(words))],
];

const SPECIAL = /[\\`[<*_~|@]|https?:\/\/|\n/g;

/** The text as a list of nodes and strings. */
export function inline(text, page, depth = 0) {
  if (depth > MAX_DEPTH) return [text];
  const draw = (words) => inline(words, page, depth + 1);
  const nodes = [];
  for (let position = 0; position < text.length;) {
    const found = ruleAt(text, position);
    const length = found ? found.match[0].length : plainLength(text, position);
    nodes.push(found ? found.draw(found.match, draw, page) : plain(text.slice(position, position + length)));
    position += length;
  }
  return nodes;
}

function ruleAt(text, position) {
  for (const [pattern, draw] of RULES) {
    pattern.lastIndex = position;
    const match = pattern.exec(text);
    if (match) return { match, draw };
  }
  return null;
}

/** How many characters may be copied before a mark could begin. */
function plainLength(text, position) {
  SPECIAL.lastIndex = position + 1;
  const next = SPECIAL.exec(text);
  return (next ? next.index : text.length) - position;
}

function plain(words) {
  if (!words.includes("\n")) return words;
  return words.split("\n").flatMap((part, index) => (index ? [element("br"), part] : [part]));
}

function drawBareLink([found], draw, page) {
  const address = found.replace(/[.,:;!?'"\]*_~|]+$/, "");
  return [link(address, address, page), found.slice(address.length)];
}
