// The start of a channel: a guide through the first finetune while it is empty, a short heading afterwards.

import { element, replaceContent } from "./elements.js";
import { icon } from "./icons.js";
import { Upload } from "./uploads.js";

const SAMPLE_ADDRESS = "/playground/sample.zip";
const SAMPLE_NAME = "sample-photos.zip";

export function drawWelcome(node, page) {
  const { channel } = page.world;
  if (!channel || !page.messages.reachedStart) return replaceContent(node);
  const isEmpty = !page.messages.list.length;
  replaceContent(
    node,
    element(
      "div",
      { class: "channel-start" },
      element("span", { class: "channel-start-icon" }, icon("hash", 40)),
      element("h2", {}, `Welcome to #${channel.name}!`),
      element("p", {}, `This is the start of the #${channel.name} channel. ${channel.topic ?? ""}`),
    ),
    isEmpty ? guide(page) : null,
  );
}

function guide(page) {
  const isReady = Boolean(page.catalogue.finetune());
  return element(
    "section",
    { class: "guide", "aria-label": "First steps", testid: "guide" },
    element("h3", {}, "Your first model in three steps"),
    element(
      "ol",
      {},
      step(
        1,
        "Bring photos",
        [bringWords(), " and run ", code("/finetune"), "."],
        sampleButton(page, isReady),
        pickButton(page, isReady),
      ),
      step(2, "Watch the card", "The bot posts one card and keeps it up to date while it trains."),
      step(
        3,
        "Make pictures",
        ["When it is done, ask for pictures with ", code("/generate"), "."],
        commandButton(page, "generate"),
      ),
    ),
    isReady
      ? null
      : element("p", { class: "guide-note" }, "The buttons wake up as soon as the bot has told its commands."),
  );
}

function bringWords() {
  const canDrop = matchMedia("(hover: hover)").matches;
  return canDrop ? "Drop a zip of photos anywhere here" : "Choose a zip of photos, or up to 10 pictures,";
}

function step(number, title, words, ...actions) {
  return element(
    "li",
    { class: "guide-step" },
    element("span", { class: "guide-number", "aria-hidden": "true" }, number),
    element(
      "div",
      { class: "guide-words" },
      element("strong", {}, title),
      element("p", {}, words),
      actions.some(Boolean) ? element("div", { class: "guide-actions" }, actions) : null,
    ),
  );
}

function code(words) {
  return element("code", { class: "inline-code" }, words);
}

function sampleButton(page, isReady) {
  const button = element(
    "button",
    { class: "button is-primary", type: "button", disabled: !isReady, testid: "sample-photos" },
    icon("spark", 16),
    "Try with sample photos",
  );
  button.addEventListener("click", async () => {
    button.disabled = true;
    await openSample(page);
    button.disabled = false;
  });
  return button;
}

function pickButton(page, isReady) {
  const input = element("input", { type: "file", hidden: true, multiple: true, accept: ".zip,image/*", testid: "own-photos" });
  input.addEventListener("change", () => {
    const uploads = [...input.files].map((file) => new Upload(file));
    input.value = "";
    if (uploads.length) page.composer.openFinetune(uploads);
  });
  return [
    input,
    element(
      "button",
      { class: "button is-secondary", type: "button", disabled: !isReady, on: { click: () => input.click() } },
      "Choose my own",
    ),
  ];
}

function commandButton(page, name) {
  if (!page.catalogue.named(name)) return null;
  return element(
    "button",
    { class: "button is-secondary", type: "button", on: { click: () => page.composer.openCommandNamed(name) } },
    `Open /${name}`,
  );
}

async function openSample(page) {
  try {
    const answer = await fetch(SAMPLE_ADDRESS);
    if (!answer.ok) throw new Error();
    const file = new File([await answer.blob()], SAMPLE_NAME, { type: "application/zip" });
    page.composer.openFinetune([new Upload(file)]);
  } catch {
    page.toasts.show("The sample photos could not be fetched. Is the playground still running?");
  }
}
