// A list that the API gives in pages: one of them is shown, and asked for again while it is seen.

import { element, fill, table } from "./dom.js";
import { poll } from "./live.js";

const PAGE = 50;

/**
 * @param path of the list with its filters, asked anew whenever a page is  @param row cells of an item  @param empty said of a list without items
 * @returns `node`; `show` begins with the first page, also after another filter; `stop` asks no more
 */
export function paged({ caption, headers, everyMs, path, row, empty }) {
  const { node: list, body } = table(caption, headers);
  const where = element("span", { class: "quiet" });
  const back = element("button", { type: "button", onclick: () => turn(cursors.slice(0, -1)) }, "Page before");
  const on = element("button", { type: "button", onclick: () => turn([...cursors, next]) }, "Next page");
  const pages = element("p", { role: "group", "aria-label": `Pages of ${caption}` }, back, " ", on, " ", where);
  /** Of the pages up to the one that is shown; the first has none. */
  let cursors = [];
  let next;
  let shown;
  let stop = () => undefined;

  function turn(to) {
    stop();
    cursors = to;
    next = shown = undefined;
    back.disabled = on.disabled = true;
    fill(body, [], "…");
    const cursor = cursors.at(-1);
    const query = `limit=${PAGE}${cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`}`;
    stop = poll(() => `${path()}${path().includes("?") ? "&" : "?"}${query}`, everyMs, take);
  }

  function take(answer) {
    const text = JSON.stringify(answer);
    // What has not changed keeps its focus and its selection.
    if (text === shown) return;
    shown = text;
    next = answer.next;
    fill(body, answer.items.map(row), empty);
    pages.hidden = cursors.length === 0 && next === undefined;
    back.disabled = cursors.length === 0;
    on.disabled = next === undefined;
    where.textContent = `page ${cursors.length + 1}`;
  }

  return {
    node: element("div", {}, list, pages),
    show: () => turn([]),
    stop: () => stop(),
  };
}
