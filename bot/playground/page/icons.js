// The line icons of the page, as inline SVG on a grid of 24.

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  hash: "M9 3 7 21M17 3l-2 18M4 8.5h17M3 15.5h17",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  menu: "M4 6h16M4 12h16M4 18h16",
  people:
    "M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM2 21c0-4 3-6.5 7-6.5s7 2.5 7 6.5M16.5 3.5a4 4 0 0 1 0 7M18 14.8c2.5.9 4 3 4 6.2",
  plus: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6 6 18",
  send: "M3 20.5 21.5 12 3 3.5 5.5 12ZM5.5 12h8",
  eye: "M2 12s3.5-6.5 10-6.5S22 12 22 12s-3.5 6.5-10 6.5S2 12 2 12ZM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z",
  file: "M14 3H7a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V8ZM14 3v5h5",
  archive: "M4 4h16v5H4ZM5.5 9v11h13V9M10 13h4",
  picture: "M4 4h16v16H4ZM4 16l5-5 5 5 2.5-2.5L20 17M15.5 9.5a1 1 0 1 0 0-2 1 1 0 0 0 0 2",
  download: "M12 3v12M7 10.5l5 5 5-5M4 20.5h16",
  external: "M14 4h6v6M20 4l-9 9M18 14v4a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V8a2 2 0 0 1 2-2h4",
  trash: "M4 7h16M9 7V4h6v3M6.5 7l1 13h9l1-13",
  down: "M6 9l6 6 6-6",
  arrowDown: "M12 4v16M6 14l6 6 6-6",
  left: "M15 5l-7 7 7 7",
  right: "M9 5l7 7-7 7",
  warning: "M12 3 2 20.5h20ZM12 10v5M12 17.5v.5",
  check: "M5 12.5l4.5 4.5L19 7.5",
  upload: "M12 20V8M7 12.5l5-5 5 5M4 3.5h16",
  spark: "M12 3l2 7 7 2-7 2-2 7-2-7-7-2 7-2Z",
  at: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM16 8v5.5c0 3 4.5 3 4.5-1.5a8.5 8.5 0 1 0-3.5 7",
  slash: "M16 4 8 20",
};

export function icon(name, size = 20) {
  const svg = document.createElementNS(SVG, "svg");
  const attributes = { viewBox: "0 0 24 24", width: size, height: size, class: "icon", "aria-hidden": "true" };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
