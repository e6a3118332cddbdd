// What an operator may say to a rollout as it stands, with a reason that is kept beside it. Who may not steer sees no buttons.

import { sender, sendProblem } from "./api.js";
import { element } from "./dom.js";

const PAUSE = ["pause", "Pause"];
const RESUME = ["resume", "Resume"];
const ABORT = ["abort", "Abort"];
const WORDS = { draft: [["approve", "Approve"], ABORT], running: [PAUSE, ABORT], paused: [RESUME, ABORT] };
const SURE = "It cannot be taken back: nothing more of this rollout begins, and what has begun is asked to end. Abort it?";

/** @param path of the rollout  @param take how the rollout stands after a word that was taken */
export function rolloutForm(path, maySteer, take) {
  if (!maySteer) {
    const text = "You see it and cannot change it: that takes a token of an operator.";
    return { node: element("section", { class: "card", "aria-label": "Steer" }, element("p", { class: "quiet" }, text)), accept: () => undefined };
  }
  const reason = element("input", { id: "reason", required: true, maxlength: 500, autocomplete: "off" });
  const buttons = element("p", { class: "buttons" });
  const result = element("pre", { role: "status", "aria-live": "polite" });
  const over = element("p", { class: "quiet" }, "It is over: nothing can be said to it any more.");
  const form = element("form", {}, element("label", { for: "reason" }, "Reason, for those who read it later"), reason, buttons);
  const post = sender();
  let known;

  form.addEventListener("submit", (submitted) => {
    submitted.preventDefault();
    const verb = submitted.submitter?.value;
    if (verb === undefined || (verb === "abort" && !confirm(SURE))) return;
    void say(verb);
  });

  async function say(verb) {
    for (const button of buttons.children) button.disabled = true;
    result.className = "quiet";
    result.textContent = "…";
    try {
      const answer = await post(`${path}/${verb}`, { reason: reason.value });
      result.className = "good";
      result.textContent = `${verb}: it is ${answer.state}.`;
      reason.value = "";
      take(answer);
    } catch (error) {
      result.className = "problem";
      result.textContent = sendProblem(error);
    } finally {
      for (const button of buttons.children) button.disabled = false;
    }
  }

  return {
    node: element("section", { class: "card", "aria-label": "Steer" }, element("h3", {}, "Steer"), form, over, result),
    accept: ({ state }) => {
      if (state === known) return;
      known = state;
      const words = WORDS[state] ?? [];
      form.hidden = words.length === 0;
      over.hidden = words.length > 0;
      // The first one is what Enter sends: never the one that cannot be taken back.
      buttons.replaceChildren(...words.flatMap(([verb, text]) => [element("button", { type: "submit", value: verb, class: verb === "abort" ? "last" : undefined }, text)]));
    },
  };
}
