// The fleet: every vehicle with how well it is heard and how it is.

import { age, element, fill, number, table, word } from "./dom.js";
import { poll } from "./live.js";

const TONE = { online: "good", ok: "good", asleep: "quiet", late: "warn", degraded: "warn", unknown: "quiet", lost: "bad", faulted: "bad" };

export function tone(text) {
  return word(text ?? "–", TONE[text] ?? "");
}

export function linkTo(address) {
  return element("a", { href: `#/actor/${encodeURIComponent(address)}` }, address);
}

/** A state value in a line: `motion: moving · health: ok`. */
export function stateText(state) {
  if (state === undefined || state === null) return "–";
  if (typeof state !== "object") return String(state);
  return Object.entries(state)
    .map(([region, inner]) => `${region}: ${typeof inner === "object" ? stateText(inner) : inner}`)
    .join(" · ");
}

export function fleet(main) {
  const { node, body } = table("Vehicles", ["Vehicle", "Presence", "Motion", "Health", "State of", "Last heard", "Revision"]);
  main.replaceChildren(element("section", { class: "card", "aria-label": "Fleet" }, node));
  fill(body, [], "…");
  return [
    poll("/v1/actors?kind=vehicle&limit=1000", 2_000, ({ items }) => {
      const rows = items.map((item) => [
        linkTo(item.address),
        tone(item.presence),
        tone(item.state?.motion),
        tone(item.state?.health),
        number(item.asOf === undefined ? "" : `${age(Date.now() - item.asOf)} ago`),
        number(item.staleMs === undefined ? "here" : `${age(item.staleMs)} ago`),
        number(item.revision),
      ]);
      fill(body, rows, "No vehicle is known here yet.");
    }),
  ];
}
