// One rollout, live: where it is and why, its groups with what each waits for and what went badly, its targets a page at a time, and what an operator may say to it.

import { get } from "./api.js";
import { element, fill, table } from "./dom.js";
import { follow } from "./live.js";
import { rolloutForm } from "./rollout-form.js";
import { rolloutTargets } from "./rollout-targets.js";
import { bar, causeOf, phaseText, stateOf, timeOf } from "./rollout-words.js";

export function rollout(main, id, maySteer) {
  const path = `/v1/rollouts/${encodeURIComponent(id)}`;
  const facts = element("dl");
  const gone = element("p", { class: "problem", role: "alert" });
  const groups = table("Groups", ["Group", "State", "Targets", "Waits", "Went badly"]);
  const said = table("What was said to it", ["When", "What", "Who", "Why"]);
  const form = rolloutForm(path, maySteer, (answer) => show(answer));
  const targets = rolloutTargets(path);
  const rest = [form.node, section("Groups", groups.node), targets.node, section("Said", said.node)];
  main.replaceChildren(section("Rollout", element("h2", {}, id), gone, facts), ...rest);
  for (const part of rest) part.hidden = true;
  let shown;
  let newcomers;
  let isLeft = false;

  function show(now) {
    // An answer that came after its view was left.
    if (isLeft) return;
    newcomers = now.newcomers ?? newcomers;
    // An answer that another one has overtaken.
    if (shown?.incarnation === now.incarnation && now.revision < shown.revision) return;
    gone.textContent = "";
    const entries = [
      ["State", stateOf(now)],
      ["Cause", causeOf(now) === "" ? undefined : `${causeOf(now)} (${timeOf(now.why.at)})`],
      ["Images", now.images.map((image) => element("div", {}, imageText(image)))],
      ["Targets", `${now.targets}, at most ${now.concurrency} at once`],
      ["Joined later", newcomers === undefined || newcomers.count === 0 ? undefined : `${newcomers.count} in no group, e.g. ${newcomers.first.slice(0, 3).join(", ")}`],
      ["Made", now.created === null ? undefined : `${timeOf(now.created.at)} by ${now.created.by}`],
    ];
    facts.replaceChildren(...entries.filter(([, value]) => value !== undefined).flatMap(([term, value]) => [element("dt", {}, term), element("dd", {}, ...[value].flat())]));
    fill(groups.body, now.groups.map(groupRow), "It has no group.");
    fill(
      said.body,
      [...now.noted].reverse().map(({ at, verb, who, reason }) => [timeOf(at), verb, who, reason ?? ""]),
      "Nothing yet.",
    );
    form.accept(now);
    const isFirst = shown === undefined;
    shown = now;
    if (!isFirst) return;
    for (const part of rest) part.hidden = false;
    targets.begin(now.groups.map(({ name }) => name));
  }

  // Who joined later is told on asking alone.
  get(path)
    .then((answer) => show(answer))
    .catch(() => undefined);
  const unfollow = follow(`${path}/events`, { snapshot: show, progress: show }, path, (problem) => {
    gone.textContent = `${problem.body.title} ${problem.body.detail}`;
  });
  const leave = () => {
    isLeft = true;
  };
  return [leave, unfollow, targets.stop];
}

function section(label, ...children) {
  return element("section", { class: "card", "aria-label": label }, ...children);
}

function groupRow({ name, state, size, counts, waits, causes }) {
  return [
    name,
    state,
    bar(counts, size),
    lines(waits.map(({ text }) => text)),
    lines(causes.map(({ ending, reason, targets }) => `${targets} ${phaseText(ending)}${reason === "" ? "" : `: ${reason}`}`)),
  ];
}

function lines(texts) {
  return texts.length === 0 ? "" : element("ul", { class: "lines" }, ...texts.map((text) => element("li", {}, text)));
}

function imageText({ module, version, hardware, address, sha256 }) {
  return `${module} ${version} on ${hardware}${address === null ? "" : ` at address ${address}`}, ${sha256.slice(0, 12)}…`;
}
