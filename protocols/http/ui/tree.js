// The supervision trees of all nodes: what runs, how often it was started again, and why.

import { age, element, word } from "./dom.js";
import { poll } from "./live.js";

const TONE = { running: "good", restarting: "warn", starting: "warn", degraded: "warn", failed: "bad", stopped: "quiet" };

export function tree(main) {
  const place = element("div", { class: "stack" });
  main.replaceChildren(place);
  return [
    poll("/v1/tree", 2_000, ({ items }) => {
      const cards = items.map(({ node, at, state, tree: root, entities = [] }) =>
        element(
          "section",
          { class: "card tree", "aria-label": `Node ${node}` },
          element("h2", {}, node),
          element("p", { class: "quiet" }, `${state === undefined ? "" : `${state}, `}as announced ${age(Date.now() - at)} ago`),
          element("ul", {}, branch(root), ...entities.map(branch)),
        ),
      );
      place.replaceChildren(...(cards.length > 0 ? cards : [element("p", { class: "card quiet" }, "No tree is announced.")]));
    }),
  ];
}

function branch(node) {
  const restarts = node.restarts === 0 ? "" : ` · ${node.restarts} restart${node.restarts === 1 ? "" : "s"}`;
  const cause =
    node.lastExit === undefined
      ? ""
      : ` · last: ${node.lastExit.reason}${node.lastExit.error === undefined ? "" : ` (${node.lastExit.error})`}, ${age(Date.now() - node.lastExit.at)} ago`;
  const more = [node.strategy, node.isolation, node.pid === undefined ? undefined : `pid ${node.pid}`].filter((item) => item !== undefined).join(", ");
  return element(
    "li",
    {},
    element("strong", {}, node.id),
    " ",
    word(node.state, TONE[node.state] ?? ""),
    element("span", { class: "quiet" }, ` ${node.kind}${more === "" ? "" : ` (${more})`}`),
    element("span", { class: node.restarts === 0 ? "quiet" : "warn" }, `${restarts}${cause}`),
    node.children.length === 0 ? undefined : element("ul", {}, ...node.children.map(branch)),
  );
}
