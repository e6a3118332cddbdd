// Sends one of the accepted events, told or asked. Whatever is not known of its outcome is asked again under the same key, so it never acts twice.

import { actorPath, get, sender, sendProblem } from "./api.js";
import { element } from "./dom.js";

let description;

/** A message to begin with, from its schema in the API's description. */
async function template(type, event) {
  description ??= get("/v1/openapi.json").catch(() => undefined);
  const schema = (await description)?.components?.schemas?.[`${type}.${event}`];
  const required = schema?.required ?? [];
  return Object.fromEntries([["type", event], ...required.filter((name) => name !== "type").map((name) => [name, example(schema.properties[name])])]);
}

function example(schema = {}) {
  if ("const" in schema) return schema.const;
  if ("enum" in schema) return schema.enum[0];
  const inner = schema.anyOf?.[0];
  if (inner !== undefined) return example(inner);
  if (schema.type === "object") return Object.fromEntries((schema.required ?? []).map((name) => [name, example(schema.properties?.[name])]));
  return { string: "", integer: schema.minimum ?? 0, number: schema.minimum ?? 0, boolean: false, array: [] }[schema.type] ?? null;
}

export function commandForm(address) {
  const select = element("select", { id: "event" });
  const body = element("textarea", { id: "body", rows: 5, spellcheck: "false" });
  const ask = element("button", { type: "submit", value: "ask" }, "Send and await the reply");
  const tell = element("button", { type: "submit", value: "tell" }, "Send");
  const result = element("pre", { role: "status", "aria-live": "polite" });
  const form = element(
    "form",
    {},
    element("label", { for: "event" }, "Accepted events"),
    select,
    element("label", { for: "body" }, "Message (JSON)"),
    body,
    element("p", {}, tell, " ", ask),
    result,
  );
  let known = "";
  let actorType = "";
  const post = sender();

  const suggest = async () => {
    const chosen = select.value;
    const message = await template(actorType, chosen);
    if (select.value === chosen) body.value = JSON.stringify(message, null, 2);
  };
  select.addEventListener("change", () => void suggest());
  form.addEventListener("submit", (submitted) => {
    submitted.preventDefault();
    void send(submitted.submitter?.value ?? "tell");
  });

  async function send(how) {
    tell.disabled = ask.disabled = true;
    result.className = "quiet";
    result.textContent = "…";
    try {
      const answer = await post(actorPath(address, how === "ask" ? "/ask?timeoutMs=10000" : "/events"), body.value);
      result.className = "good";
      result.textContent = JSON.stringify(answer, null, 2);
    } catch (error) {
      result.className = "problem";
      result.textContent = sendProblem(error);
    } finally {
      tell.disabled = ask.disabled = false;
    }
  }

  return {
    node: element("section", { class: "card", "aria-label": "Send" }, element("h3", {}, "Send"), form),
    accept: (type, accepts) => {
      const events = accepts ?? [];
      const now = `${type} ${events.join(" ")}`;
      if (now === known) return;
      known = now;
      actorType = type;
      const chosen = select.value;
      select.replaceChildren(...events.map((event) => element("option", { value: event, selected: event === chosen }, event)));
      select.disabled = events.length === 0;
      if (!events.includes(chosen) && events.length > 0) void suggest();
    },
  };
}
