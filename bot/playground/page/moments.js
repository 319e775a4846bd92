// Times as Discord writes them: message headers, day dividers and <t:…> marks that keep themselves current.

import { element } from "./elements.js";

const LOCALE = navigator.language?.startsWith("en") ? navigator.language : "en-GB";
const STYLES = {
  t: { timeStyle: "short" },
  T: { timeStyle: "medium" },
  d: { dateStyle: "short" },
  D: { dateStyle: "long" },
  f: { dateStyle: "long", timeStyle: "short" },
  F: { dateStyle: "full", timeStyle: "short" },
};
const STEPS = [
  ["year", 31536000],
  ["month", 2592000],
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];
const relativeWords = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

export function clockTime(moment) {
  return format(moment, STYLES.t);
}

/** "14:05" today, "Yesterday at 14:05", else the date. */
export function headerTime(moment) {
  const days = Math.round((startOfDay(new Date()) - startOfDay(moment)) / 86400000);
  if (days === 0) return clockTime(moment);
  if (days === 1) return `Yesterday at ${clockTime(moment)}`;
  return `${format(moment, STYLES.d)} ${clockTime(moment)}`;
}

export function dayName(moment) {
  return format(moment, STYLES.D);
}

export function fullMoment(moment) {
  return format(moment, STYLES.F);
}

export function isSameDay(first, second) {
  return startOfDay(first).getTime() === startOfDay(second).getTime();
}

/** The element for <t:seconds:style>. */
export function timestampMark(seconds, style) {
  const moment = new Date(seconds * 1000);
  if (Number.isNaN(moment.getTime())) return document.createTextNode(`<t:${seconds}>`);
  const attributes = { class: "timestamp-mark", datetime: moment.toISOString(), title: fullMoment(moment) };
  if (style === "R") return element("time", { ...attributes, "data-relative": seconds }, relative(seconds));
  return element("time", attributes, format(moment, STYLES[style] ?? STYLES.f));
}

/** Rewrites every relative time on the page, once a second. */
export function keepRelativeTimesCurrent() {
  setInterval(() => {
    for (const node of document.querySelectorAll("time[data-relative]")) {
      const words = relative(Number(node.dataset.relative));
      if (node.textContent !== words) node.textContent = words;
    }
  }, 1000);
}

function relative(seconds) {
  const difference = seconds - Date.now() / 1000;
  const [unit, length] = STEPS.find(([, size]) => Math.abs(difference) >= size) ?? STEPS.at(-1);
  return relativeWords.format(Math.trunc(difference / length), unit);
}

function format(moment, options) {
  return new Intl.DateTimeFormat(LOCALE, options).format(moment);
}

function startOfDay(moment) {
  return new Date(moment.getFullYear(), moment.getMonth(), moment.getDate());
}
