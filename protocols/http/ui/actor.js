// One actor: its state and context as they change, what happened last, its parts, its signals, and a form to send it what it would take.

import { actorPath, get } from "./api.js";
import { age, element, fill, number, table } from "./dom.js";
import { linkTo, stateText, tone } from "./fleet.js";
import { follow, poll } from "./live.js";
import { commandForm } from "./command-form.js";
import { signals } from "./signals.js";

const SHOWN_TURNS = 20;

export function actor(main, address) {
  const facts = element("dl");
  const contextTitle = element("h3", {}, "Context");
  const context = element("pre", { tabindex: 0 });
  const turns = table("Last turns", ["Revision", "When", "Inputs", "State"]);
  const form = commandForm(address);
  const parts = element("div", { class: "stack" });
  const gone = element("p", { class: "problem", role: "alert" });
  const notKept = element("p");
  const history = element("section", { class: "card", "aria-label": "History" }, turns.node, notKept);
  /** What says nothing about an actor that never was there; of one that has ended the last that was seen stays. */
  const seenParts = [facts, contextTitle, context, parts, history];
  main.replaceChildren(element("section", { class: "card", "aria-label": "Actor" }, element("h2", {}, address), gone, facts, contextTitle, context), form.node, parts, history);
  let seen = [];
  let isThere = false;
  let wasThere = false;

  const there = (is) => {
    form.node.hidden = !is;
    if (is || !wasThere) for (const part of seenParts) part.hidden = !is;
    if (is && !isThere) readHistory();
    isThere = is;
    wasThere ||= is;
  };
  const show = (view) => {
    there(true);
    gone.textContent = "";
    const entries = [
      ["State", stateText(view.state)],
      ["Status", view.status],
      ["In memory", view.absent === undefined ? undefined : `no: ${view.absent}`],
      ["Presence", view.presence === undefined ? undefined : tone(view.presence)],
      ["Type", `${view.type}, version ${view.version}, ${view.durability}`],
      ["Revision", `${view.revision} of ${view.incarnation}`],
      ["Owner", `${view.owner.node}, epoch ${view.owner.epoch}`],
      ["Answered by", view.node],
      ["As of", `${new Date(view.asOf).toLocaleString()}${view.staleMs === undefined ? "" : `, last heard ${age(view.staleMs)} ago`}`],
      [
        "Labels",
        Object.entries(view.labels)
          .map(([key, value]) => `${key}=${value}`)
          .join(", ") || "–",
      ],
    ];
    facts.replaceChildren(...entries.filter(([, value]) => value !== undefined).flatMap(([term, value]) => [element("dt", {}, term), element("dd", {}, value)]));
    context.textContent = JSON.stringify(view.context ?? null, null, 2);
    form.accept(view.type, view.accepts);
  };
  const note = (entry) => {
    seen = [entry, ...seen].slice(0, SHOWN_TURNS);
    showTurns();
  };
  const showTurns = () => {
    const rows = seen.map((turn) => [
      String(turn.revision),
      number(new Date(turn.at).toLocaleTimeString()),
      [
        ...turn.inputs.map((input) => `${input.type}${input.author === undefined ? "" : ` by ${input.author}`}${input.result === "accepted" ? "" : `: ${input.result}`}`),
        ...(turn.timers ?? []).map(({ change }) => `(timer ${change})`),
      ].join(", ") || "–",
      stateText(turn.state),
    ]);
    fill(turns.body, rows, "None is kept.");
  };
  const readHistory = () =>
    lastTurns(address)
      .then(({ items, missing }) => {
        // The stream may have told some of them already.
        const known = new Set(seen.map((turn) => turn.revision));
        seen = [...seen, ...items.filter((item) => !known.has(item.revision))].slice(0, SHOWN_TURNS);
        showTurns();
        notKept.textContent = missing.map(({ after, upTo }) => `The turns of its entity from revision ${after + 1} to ${upTo} are not kept.`).join(" ");
      })
      .catch(() => fill(turns.body, [], "Its history cannot be read now."));

  fill(turns.body, [], "…");

  const stops = [
    follow(
      actorPath(address, "/stream"),
      {
        snapshot: (view) => {
          // After a pause of the stream: turns may have passed that nobody told.
          if (isThere) {
            seen = [];
            readHistory();
          }
          show(view);
        },
        change: (entry) => {
          if (entry.actor !== undefined) show(entry.actor);
          note(entry);
        },
        ended: () => {
          there(false);
          gone.textContent = "This actor has ended.";
        },
      },
      actorPath(address),
      (problem) => {
        if (problem.status === 404 || problem.status === 400) there(false);
        gone.textContent = `${problem.body.title} ${problem.body.detail}`;
      },
    ),
  ];
  if (address.split("/").at(-2) === "vehicle") stops.push(...signals(parts, address));
  if (address.split("/").length === 3) stops.push(...children(parts, address));
  return stops;
}

/** Where others of its entity are busier, several pages lead to them. */
async function lastTurns(address) {
  const items = [];
  const missing = [];
  let next;
  do {
    const page = await get(actorPath(address, `/history?limit=${SHOWN_TURNS - items.length}${next === undefined ? "" : `&before=${next}`}`));
    items.push(...page.items);
    missing.push(...page.missing);
    next = page.next;
  } while (next !== undefined && items.length < SHOWN_TURNS);
  return { items, missing };
}

/** The actors of an entity. */
function children(place, entity) {
  const { node, body } = table("Its actors", ["Actor", "Type", "State"]);
  place.append(element("section", { class: "card", "aria-label": "Parts" }, node));
  fill(body, [], "…");
  return [
    poll(`/v1/actors?q=${encodeURIComponent(`${entity}/`)}&limit=200`, 3_000, ({ items }) => {
      fill(
        body,
        items.map((item) => [linkTo(item.address), item.type, stateText(item.state)]),
        "None in memory.",
      );
    }),
  ];
}
