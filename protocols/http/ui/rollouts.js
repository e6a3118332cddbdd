// Rollouts: how far each one is, and why one waits for a person.

import { choice, element, number, word } from "./dom.js";
import { paged } from "./paged.js";
import { badIn, causeOf, stateOf, timeOf } from "./rollout-words.js";

const STATES = ["draft", "running", "paused", "completed", "aborted"];

export function rollouts(main) {
  const state = choice(
    "State",
    "state",
    STATES.map((each) => [each, each]),
    () => list.show(),
  );
  const list = paged({
    caption: "Rollouts",
    headers: ["Rollout", "State", "Group", "Committed", "Bad", "Cause", "Made"],
    everyMs: 2_000,
    path: () => `/v1/rollouts${state.select.value === "" ? "" : `?state=${encodeURIComponent(state.select.value)}`}`,
    row: (item) => [
      element("a", { href: `#/rollout/${encodeURIComponent(item.address)}` }, item.address),
      stateOf(item),
      item.group ?? "–",
      number(`${item.counts.committed ?? 0} of ${item.targets}`),
      number(badIn(item.counts) === 0 ? "0" : word(String(badIn(item.counts)), "bad")),
      causeOf(item),
      item.created === null ? "–" : `${timeOf(item.created.at)} by ${item.created.by}`,
    ],
    empty: "There is no such rollout.",
  });
  main.replaceChildren(element("section", { class: "card", "aria-label": "Rollouts" }, element("div", { class: "filters" }, state.node), list.node));
  list.show();
  return [list.stop];
}
