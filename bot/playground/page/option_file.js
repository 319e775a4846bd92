// The editor for attachment options: a small drop zone that becomes the picture or the name of the file.

import { element, replaceContent } from "./elements.js";
import { acceptedTypes, fileIcon, isAllowedType, isPicture } from "./file_facts.js";
import { icon } from "./icons.js";
import { sizeWords } from "./upload_card.js";
import { Upload } from "./uploads.js";

export function fileEditor(option, changed) {
  let upload = null;
  const shown = element("span", { class: "option-file-words" });
  const field = element("input", {
    class: "option-file-input",
    type: "file",
    testid: `option-${option.name}`,
    "aria-label": option.name,
    accept: acceptedTypes(option.file_types) || null,
  });
  const node = element("span", { class: "option-file" }, shown, field);
  const draw = () => {
    node.classList.toggle("has-file", Boolean(upload));
    replaceContent(shown, upload ? chosenFile(upload, () => use(null)) : [icon("upload", 18), "Drop or choose a file"]);
  };
  const use = (next) => {
    upload = next;
    field.value = "";
    upload?.on("progress", draw);
    draw();
    changed();
  };
  field.addEventListener("change", () => field.files.length && use(new Upload(field.files[0])));
  draw();
  return {
    node,
    field,
    isEmpty: () => !upload,
    setFile: (file) => use(new Upload(file)),
    setUpload: use,
    finished: async () => (await upload?.finished)?.upload_id,
    value: () => (upload ? "upload" : undefined),
    complaint: () => fileComplaint(option, upload),
    panel: () => ({
      title: option.name,
      detail: option.description,
      note: option.file_types?.length ? `Allowed: ${option.file_types.join(", ")}` : null,
    }),
  };
}

function fileComplaint(option, upload) {
  if (!upload) return option.required ? "This option is required. Add a file." : null;
  if (upload.failure) return upload.failure;
  return isAllowedType(upload.file, option.file_types)
    ? null
    : `This option takes ${option.file_types.join(", ")} files.`;
}

function chosenFile(upload, remove) {
  const { file } = upload;
  return [
    isPicture(file.type, file.name)
      ? element("img", { src: upload.preview, alt: "" })
      : icon(fileIcon(file.name, file.type), 22),
    element(
      "span",
      { class: "option-file-name" },
      element("span", { title: file.name }, file.name),
      element("small", {}, upload.failure ?? sizeWords(upload)),
    ),
    element(
      "button",
      { class: "icon-button", type: "button", "aria-label": `Remove ${file.name}`, on: { click: remove } },
      icon("close", 16),
    ),
    upload.isFinished
      ? null
      : element(
          "span",
          { class: "progress", "aria-hidden": "true" },
          element("span", { class: "progress-bar", style: { width: `${Math.round(upload.share * 100)}%` } }),
        ),
  ];
}
