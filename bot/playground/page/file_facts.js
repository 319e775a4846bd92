// Facts about files that are shown to people: their size in words and what kind of file they are.

export function sizeInWords(bytes) {
  if (bytes === undefined || bytes === null) return "";
  if (bytes < 1024) return `${bytes} bytes`;
  const units = ["KB", "MB", "GB"];
  const power = Math.min(units.length, Math.floor(Math.log(bytes) / Math.log(1024)));
  return `${(bytes / 1024 ** power).toFixed(2)} ${units[power - 1]}`;
}

/** Pictures that every browser draws; an SVG or HEIC stays a file, as in Discord. */
export function isPicture(contentType, name = "") {
  if (contentType) return /^image\/(png|jpeg|webp|gif|avif)\b/.test(contentType);
  return /\.(png|jpe?g|webp|gif|avif)$/i.test(name);
}

export function isArchive(name) {
  return /(^|\.)zip$/i.test(name);
}

export function fileIcon(name, contentType) {
  if (isPicture(contentType, name)) return "picture";
  return isArchive(name) ? "archive" : "file";
}

/** Whether a name is allowed by `file_types` ("image", "video", "audio" or ".ext"); no list allows everything. */
export function isAllowedType(file, fileTypes) {
  if (!fileTypes?.length) return true;
  return fileTypes.some((kind) => {
    if (kind.startsWith(".")) return file.name.toLowerCase().endsWith(kind.toLowerCase());
    return file.type.startsWith(`${kind}/`);
  });
}

/** The value of an input's `accept` attribute for `file_types`. */
export function acceptedTypes(fileTypes) {
  return (fileTypes ?? []).map((kind) => (kind.startsWith(".") ? kind : `${kind}/*`)).join(",");
}
