// Elements from data. Text is always set as text: nothing that a vehicle says is ever read as markup.

/** `element("td", { class: "number" }, "12")`: attributes as written, listeners as functions under `onclick` and the like. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child !== undefined && child !== null));
  return made;
}

/** A table with a caption and headers that say what they head. The body's rows are put in later with `fill`. */
export function table(caption, headers) {
  const body = element("tbody");
  const head = element("tr", {}, ...headers.map((header) => element("th", { scope: "col" }, header)));
  return { node: element("table", {}, element("caption", {}, caption), element("thead", {}, head), body), body };
}

/** Replaces the rows; each is a list of cells, the first of which heads its row. */
export function fill(body, rows, empty) {
  const filled = rows.map(([first, ...cells]) =>
    element("tr", {}, element("th", { scope: "row" }, first), ...cells.map((cell) => (cell instanceof HTMLTableCellElement ? cell : element("td", {}, cell)))),
  );
  body.replaceChildren(...(filled.length > 0 ? filled : [element("tr", {}, element("td", { colspan: 20, class: "quiet" }, empty))]));
}

/** A labelled choice, first of which is all of them. @param options value and text of each  @returns `offer` adds more of them */
export function choice(label, id, options, changed) {
  const select = element("select", { id, onchange: changed }, element("option", { value: "" }, "all"));
  const offer = (more) => select.append(...more.map(([value, text]) => element("option", { value }, text)));
  offer(options);
  return { node: element("div", {}, element("label", { for: id }, label), select), select, offer };
}

export function number(text) {
  return element("td", { class: "number" }, text);
}

export function word(text, className) {
  return element("span", { class: className }, text);
}

/** 0.4 s, 12 s, 3 min, 5 h, 2 d. */
export function age(ms) {
  if (ms === null || ms === undefined) return "–";
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`;
}
