// The targets of a rollout: each vehicle with its state, its module's update and the cause, filtered, a page at a time.

import { choice, element, number } from "./dom.js";
import { linkTo } from "./fleet.js";
import { paged } from "./paged.js";
import { PHASE_NAMES, phaseText, phaseWord } from "./rollout-words.js";

export function rolloutTargets(path) {
  const group = choice("Group", "group", [], () => list.show());
  const state = choice(
    "State",
    "state",
    PHASE_NAMES.map((phase) => [phase, phaseText(phase)]),
    () => list.show(),
  );
  const list = paged({
    caption: "Targets",
    headers: ["Vehicle", "Group", "State", "Module", "Update", "Attempt", "Cause", "Last word"],
    everyMs: 3_000,
    path: () => {
      const query = new URLSearchParams([group.select, state.select].filter(({ value }) => value !== "").map(({ id, value }) => [id, value])).toString();
      return `${path}/targets${query === "" ? "" : `?${query}`}`;
    },
    row: (target) => [
      linkTo(target.vehicle),
      target.group,
      phaseWord(target.state),
      target.module ?? "",
      target.update === null ? "" : target.progress === null ? target.update : `${target.update}, ${target.progress} %`,
      number(target.attempt === 0 ? "" : String(target.attempt)),
      target.why ?? "",
      number(target.heardAt === null ? "" : new Date(target.heardAt).toLocaleTimeString()),
    ],
    empty: "No target is in this state.",
  });
  return {
    node: element("section", { class: "card", "aria-label": "Targets" }, element("div", { class: "filters" }, group.node, state.node), list.node),
    begin: (groups) => {
      group.offer(groups.map((name) => [name, name]));
      list.show();
    },
    stop: list.stop,
  };
}
