// The file field of a dialog: a drop area, thumbnails of what was chosen, and their uploads.

import { element, replaceContent } from "./elements.js";
import { acceptedTypes, isAllowedType } from "./file_facts.js";
import { icon } from "./icons.js";
import { uploadCard } from "./upload_card.js";
import { Upload } from "./uploads.js";

export function fileControl(component, { id, changed }) {
  const most = component.max_values ?? 1;
  let uploads = [];
  const input = fileInput(component, id, most);
  const words = element("span", { class: "file-field-words" });
  const cards = element("div", { class: "upload-cards" });
  const area = element(
    "div",
    { class: "file-field" },
    element("div", { class: "file-field-drop" }, icon("upload", 28), words, input),
    cards,
  );
  const draw = () => {
    replaceContent(words, dropWords(uploads.length, most));
    replaceContent(
      cards,
      uploads.map((upload) => uploadCard(upload, () => remove(upload))),
    );
    changed();
  };
  const remove = (upload) => {
    upload.cancel();
    uploads = uploads.filter((other) => other !== upload);
    draw();
  };
  input.addEventListener("change", () => {
    uploads = chosenUploads(uploads, [...input.files], most);
    input.value = "";
    draw();
  });
  highlightDrops(area, input);
  draw();
  return {
    node: area,
    focus: () => input.focus(),
    value: async () => (await Promise.all(uploads.map((upload) => upload.finished))).map((answer) => answer.upload_id),
    complaint: () => complaint(component, uploads, most),
  };
}

function dropWords(count, most) {
  const plural = most > 1 ? "s" : "";
  return [
    element("strong", {}, "Drop files here or browse"),
    element("small", {}, `${count} of ${most} file${plural}`),
  ];
}

function fileInput(component, id, most) {
  return element("input", {
    id,
    type: "file",
    class: "file-field-input",
    multiple: most > 1,
    accept: acceptedTypes(component.file_types) || null,
    testid: `field-${component.custom_id}`,
  });
}

/** With room for one file a new choice replaces the old one. */
function chosenUploads(before, files, most) {
  if (most === 1) {
    before.forEach((upload) => upload.cancel());
    return files.slice(0, 1).map((file) => new Upload(file));
  }
  return [...before, ...files.map((file) => new Upload(file))];
}

function complaint(component, uploads, most) {
  const least = component.required === false ? 0 : Math.max(1, component.min_values ?? 1);
  const failed = uploads.find((upload) => upload.failure);
  if (failed) return failed.failure;
  if (uploads.length < least) return least === 1 ? "Add a file." : `Add at least ${least} files.`;
  if (uploads.length > most) return `Add at most ${most} file${most > 1 ? "s" : ""}.`;
  const wrong = uploads.find((upload) => !isAllowedType(upload.file, component.file_types));
  return wrong ? `${wrong.file.name} is not one of: ${component.file_types.join(", ")}.` : null;
}

/** The file input lies over the area, so the browser itself takes the drop; this only shows it. */
function highlightDrops(area, input) {
  input.addEventListener("dragenter", () => area.classList.add("is-target"));
  for (const event of ["dragleave", "drop"]) input.addEventListener(event, () => area.classList.remove("is-target"));
}
