// A vehicle's signals, live: value, quality and age, which goes on counting while nothing comes.

import { age, element, fill, number, table, word } from "./dom.js";
import { follow } from "./live.js";

const TONE = { good: "good", stale: "warn", unknown: "quiet", "not-available": "quiet" };

export function signals(place, vehicle) {
  const { node, body } = table("Signals", ["Signal", "Value", "Unit", "Quality", "Age", "Source"]);
  place.append(element("section", { class: "card", "aria-label": "Signals" }, node));
  fill(body, [], "…");
  /** By name: the signal, and when it was said by our own clock. */
  const known = new Map();

  const take = ({ items }) => {
    for (const item of items) known.set(item.name, { item, heard: performance.now() });
    show();
  };
  const show = () => {
    if (known.size === 0) return;
    const rows = [...known.values()]
      .sort((a, b) => (a.item.name < b.item.name ? -1 : 1))
      .map(({ item, heard }) => [
        item.name,
        number(item.label ?? (item.value === null ? "–" : String(Number(item.value.toPrecision(7))))),
        item.unit ?? "",
        word(item.quality, TONE[item.quality]),
        number(age(item.ageMs === null ? null : item.ageMs + performance.now() - heard)),
        item.simulated ? word("simulated", "mark") : "",
      ]);
    fill(body, rows, "This vehicle has no signals.");
  };
  const timer = setInterval(show, 1_000);
  const path = `/v1/vehicles/${encodeURIComponent(vehicle)}/signals`;
  const refused = (problem) => {
    known.clear();
    fill(body, [], problem.body.detail);
  };
  return [follow(`${path}/stream`, { signals: take, changed: take }, path, refused), () => clearInterval(timer)];
}
