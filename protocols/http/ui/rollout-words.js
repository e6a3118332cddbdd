// A rollout in words, each with its colour beside it and never by colour alone.

import { element, word } from "./dom.js";

const STATES = { draft: "quiet", approved: "good", running: "good", paused: "warn", completed: "good", aborted: "bad" };

/** Where targets stand, in the order of a bar: as the API names it, as it is read, its colour. */
const PHASES = [
  ["committed", "committed", "good"],
  ["failed", "failed", "bad"],
  ["rolledBack", "rolled back", "bad"],
  ["overdue", "overdue, still at work", "bad"],
  ["timedOut", "timed out", "bad"],
  ["dark", "dark", "bad"],
  ["excused", "excused", "quiet"],
  ["under way", "under way", "going"],
  ["offered", "offered", "going"],
  ["postponed", "postponed", "warn"],
  ["away", "away", "warn"],
  ["waiting", "waiting", "rest"],
];

export const PHASE_NAMES = PHASES.map(([phase]) => phase);

export function stateOf({ state, phase }) {
  return word(phase === null ? state : `${state} (${phase})`, STATES[state] ?? "");
}

/** @param fallback for a phase that this page does not know */
export function phaseText(phase) {
  return PHASES.find(([name]) => name === phase)?.[1] ?? phase;
}

export function phaseWord(phase) {
  return word(phaseText(phase), PHASES.find(([name]) => name === phase)?.[2] ?? "");
}

export function badIn(counts) {
  return PHASES.reduce((sum, [phase, , tone]) => sum + (tone === "bad" ? (counts[phase] ?? 0) : 0), 0);
}

export function timeOf(at) {
  return new Date(at).toLocaleString();
}

/** Who made a rollout what it is: `ann: wrong image`. */
export function causeOf({ why, state }) {
  return why === null || state === "completed" ? "" : `${why.who}: ${why.reason}`;
}

/** A bar, and below it the same in words. */
export function bar(counts, size) {
  const known = PHASES.filter(([phase]) => (counts[phase] ?? 0) > 0);
  const parts = known.map(([phase, , tone]) => {
    const part = element("span", { class: tone });
    part.style.flexGrow = String(counts[phase]);
    return part;
  });
  const texts = known.map(([phase, text, tone]) => element("li", { class: tone }, `${counts[phase]} ${text}`));
  return element(
    "div",
    {},
    element("div", { class: "bar", "aria-hidden": "true" }, ...parts),
    element("ul", { class: "counts" }, element("li", {}, `${counts.committed ?? 0} of ${size} committed`), ...texts.filter((_, at) => known[at][0] !== "committed")),
  );
}
