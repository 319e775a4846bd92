// Discord's markdown, block by block: code blocks, quotes, headings, small text, lists and paragraphs.
// `markdown(text, page)` returns a fragment; inline marks are read in markdown_inline.js.

import { element } from "./elements.js";
import { inline } from "./markdown_inline.js";

const CODE_BLOCK = /```(?:([\w+#-]+)\n)?\n*([\s\S]*?)\n*```/;
const HEADING = /^(#{1,3}) +(.+)$/;
const SMALL = /^-# +(.+)$/;
const LIST_ITEM = /^( *)([-*]|\d{1,9}\.) +(.+)$/;
const QUOTE = /^> (.*)$/;

export function markdown(text, page) {
  const fragment = document.createDocumentFragment();
  let rest = String(text ?? "").replaceAll("\r\n", "\n");
  for (let code = CODE_BLOCK.exec(rest); code; code = CODE_BLOCK.exec(rest)) {
    if (!code[2].trim()) break;
    fragment.append(...blocks(withoutTrailingBreak(rest.slice(0, code.index)), page), codeBlock(code[1], code[2]));
    rest = rest.slice(code.index + code[0].length).replace(/^\n/, "");
  }
  fragment.append(...blocks(rest, page));
  return fragment;
}

function withoutTrailingBreak(text) {
  return text.replace(/\n$/, "");
}

function codeBlock(language, code) {
  return element("pre", { class: "code-block", "data-language": language }, element("code", {}, code));
}

function blocks(text, page) {
  if (!text) return [];
  const lines = text.split("\n");
  const nodes = [];
  while (lines.length) nodes.push(takeBlock(lines, page));
  return nodes;
}

/** Removes the lines of the next block from `lines` and draws them. */
function takeBlock(lines, page) {
  const line = lines[0];
  if (line.startsWith(">>> ")) return quote([lines.splice(0).join("\n").slice(4)], page);
  if (QUOTE.test(line))
    return quote(
      takeWhile(lines, QUOTE).map((quoted) => quoted.slice(2)),
      page,
    );
  if (HEADING.test(line)) return heading(lines.shift(), page);
  if (SMALL.test(line)) return element("div", { class: "small-text" }, inline(SMALL.exec(lines.shift())[1], page));
  if (LIST_ITEM.test(line)) return list(takeList(lines), page);
  return paragraph(lines, page);
}

function takeWhile(lines, pattern) {
  const taken = [];
  while (lines.length && pattern.test(lines[0])) taken.push(lines.shift());
  return taken;
}

/** The items of one list: another kind of mark at its outer edge starts another list. */
function takeList(lines) {
  const kind = isNumbered(lines[0]);
  const edge = indentOf(lines[0]);
  const taken = [lines.shift()];
  while (lines.length && LIST_ITEM.test(lines[0]) && (indentOf(lines[0]) > edge || isNumbered(lines[0]) === kind))
    taken.push(lines.shift());
  return taken;
}

function quote(lines, page) {
  return element("blockquote", { class: "quote" }, element("div", {}, blocks(lines.join("\n"), page)));
}

function heading(line, page) {
  const [, marks, words] = HEADING.exec(line);
  return element(`h${marks.length + 2}`, { class: `heading is-level-${marks.length}` }, inline(words, page));
}

function paragraph(lines, page) {
  const own = [lines.shift()];
  while (lines.length && !startsBlock(lines[0])) own.push(lines.shift());
  const text = own.join("\n");
  return element("div", { class: text.trim() ? "paragraph" : "paragraph is-blank" }, inline(text, page));
}

function startsBlock(line) {
  return [QUOTE, HEADING, SMALL, LIST_ITEM].some((pattern) => pattern.test(line)) || line.startsWith(">>> ");
}

/** Nested lists by indentation; each deeper item opens a list inside the item before it. */
function list(lines, page) {
  const root = listOf(lines[0]);
  const open = [{ indent: indentOf(lines[0]), node: root }];
  for (const line of lines) {
    while (open.length > 1 && indentOf(line) < open.at(-1).indent) open.pop();
    const deepest = open.at(-1);
    if (indentOf(line) > deepest.indent + 1 && deepest.node.lastChild) {
      const inner = listOf(line);
      deepest.node.lastChild.append(inner);
      open.push({ indent: indentOf(line), node: inner });
    }
    open.at(-1).node.append(element("li", {}, inline(LIST_ITEM.exec(line)[3], page)));
  }
  return root;
}

function listOf(line) {
  if (!isNumbered(line)) return element("ul", { class: "list" });
  return element("ol", { class: "list", start: Number.parseInt(LIST_ITEM.exec(line)[2], 10) });
}

function isNumbered(line) {
  return /\d/.test(LIST_ITEM.exec(line)[2]);
}

function indentOf(line) {
  return LIST_ITEM.exec(line)[1].length;
}
