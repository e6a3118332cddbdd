// SCXML to a machine, for the subset that the documents need: states, parallel regions, history, final states with data, transitions of both types, executable content, sends with delays,
// cancels, and invoked documents. Actions are XState's own only, so that the machines may be durable.
//
// X1. An SCXML transition is external unless it says otherwise: `reenter`. An event descriptor matches its prefixes: `a` is `a.*`.
// X2. A send without a target goes through the actor's own mailbox, as an external event does; `#_internal` is a raise.
// X3. Deep initial states are led to by the initial states on the way.

import type { AnyStateMachine } from "xstate";
import { stateIn } from "xstate";

import { assign, cancel, enqueueActions, log, machine, raise, sendParent, sendTo } from "../loose.ts";
import { type Element, parseXml } from "./xml.ts";

/** The child that a state begins with, where a deep initial state demands it. */
type Ways = Map<Element, string>;
type Data = Readonly<Record<string, unknown>>;
interface Given {
  readonly context: Data;
  readonly event: { readonly type: string; readonly output?: unknown; readonly [key: string]: unknown };
}
/* eslint-disable @typescript-eslint/no-explicit-any -- configurations and actions for the makers of loose.ts */
type Loose = any;

export function machineOf(source: string): AnyStateMachine {
  return convert(parseXml(source));
}

function convert(root: Element): AnyStateMachine {
  const actors: Record<string, Loose> = {};
  const states = of(root, "state", "parallel", "final");
  const data = of(root, "datamodel").flatMap((model) => of(model, "data"));
  return machine(
    {
      id: root.attributes["name"] ?? "scxml",
      options: { maxIterations: 200 },
      context: ({ input }: { readonly input?: Data }) => {
        const first: Record<string, unknown> = {};
        for (const { attributes, text } of data) {
          const id = attributes["id"] ?? "";
          // What is passed counts instead of what the document says; a name that it does not have is not taken (tests 243, 245).
          first[id] = input !== undefined && Object.hasOwn(input, id) ? input[id] : evaluate(attributes["expr"] ?? (text.trim() === "" ? "undefined" : text), first, undefined);
        }
        return first;
      },
      initial: undefined,
      ...inside(root, states, actors, new Map()),
    },
    { actors },
  );
}

function of(element: Element, ...names: readonly string[]): readonly Element[] {
  return element.children.filter((child) => names.includes(child.name));
}

const ref = (id: string): string => `#${id}`;
const list = (text = ""): readonly string[] => text.split(/\s+/).filter((word) => word !== "");

function inside(element: Element, states: readonly Element[], actors: Record<string, Loose>, ways: Ways): Loose {
  if (states.length === 0) return {};
  const [initial] = of(element, "initial");
  const move = initial === undefined ? undefined : of(initial, "transition")[0];
  for (const target of move === undefined ? list(element.attributes["initial"]) : list(move.attributes["target"])) lead(element, target, ways);
  const first = ways.get(element) ?? states[0]?.attributes["id"] ?? "";
  return {
    ...(element.name === "parallel" ? {} : { initial: { target: first, actions: move === undefined ? [] : actionsOf(move) } }),
    states: Object.fromEntries([...states, ...of(element, "history")].map((state) => [state.attributes["id"] ?? "", stateOf(state, actors, ways)])),
  };
}

/** A machine's initial state is a child: on the way to a deep one, each state on the way begins with the next (X3). @returns whether the target lies within */
function lead(from: Element, target: string, ways: Ways): boolean {
  for (const next of of(from, "state", "parallel", "final", "history")) {
    const id = next.attributes["id"] ?? "";
    if (id !== target && !lead(next, target, ways)) continue;
    ways.set(from, id);
    return true;
  }
  return false;
}

function stateOf(state: Element, actors: Record<string, Loose>, ways: Ways): Loose {
  const id = state.attributes["id"] ?? "";
  if (state.name === "history") {
    const [standard] = of(state, "transition");
    return { id, type: "history", history: state.attributes["type"] ?? "shallow", ...(standard === undefined ? {} : { target: list(standard.attributes["target"]).map(ref) }) };
  }
  const on: Record<string, Loose[]> = {};
  const always: Loose[] = [];
  for (const transition of of(state, "transition")) {
    const made = transitionOf(transition);
    if (transition.attributes["event"] === undefined) always.push(made);
    else for (const event of list(transition.attributes["event"])) (on[descriptorOf(event)] ??= []).push(made);
  }
  const [donedata] = of(state, "donedata");
  return {
    id,
    ...(state.name === "parallel" ? { type: "parallel" } : state.name === "final" ? { type: "final" } : {}),
    ...(donedata === undefined ? {} : { output: (given: Given) => bodyOf(donedata, given) }),
    entry: of(state, "onentry").flatMap(actionsOf),
    exit: of(state, "onexit").flatMap(actionsOf),
    on,
    always,
    invoke: of(state, "invoke").map((invoke) => invokeOf(invoke, actors)),
    ...inside(state, of(state, "state", "parallel", "final"), actors, ways),
  };
}

function transitionOf({ attributes, ...element }: Element): Loose {
  const targets = list(attributes["target"]);
  return {
    ...(targets.length === 0 ? {} : { target: targets.map(ref), reenter: attributes["type"] !== "internal" }),
    ...(attributes["cond"] === undefined ? {} : { guard: guardOf(attributes["cond"]) }),
    actions: actionsOf({ attributes, ...element }),
  };
}

function guardOf(condition: string): Loose {
  const [, state] = /^In\('([\w-]+)'\)$/.exec(condition) ?? [];
  return state === undefined ? ({ context, event }: Given) => Boolean(evaluate(condition, context, event)) : stateIn(ref(state));
}

function descriptorOf(event: string): string {
  if (event === "*") return "*";
  const name = event
    .replace(/\.\*?$/, "")
    .replace(/^done\.state\b/, "xstate.done.state")
    .replace(/^done\.invoke\b/, "xstate.done.actor");
  return `${name}.*`;
}

function invokeOf(invoke: Element, actors: Record<string, Loose>): Loose {
  const id = invoke.attributes["id"] ?? `invoked-${String(Object.keys(actors).length)}`;
  const document = of(invoke, "content").flatMap((content) => of(content, "scxml"))[0];
  if (document === undefined) throw new Error("an invoke has its document as content");
  actors[id] = convert(document);
  return { id, src: id, input: (given: Given) => bodyOf(invoke, given) };
}

/** Executable content, in its order. */
function actionsOf(block: Element): Loose[] {
  return block.children.flatMap((element): Loose[] => {
    const { attributes } = element;
    switch (element.name) {
      case "raise":
        return [raise({ type: attributes["event"] ?? "" })];
      case "assign":
        return [assign(({ context, event }: Given) => ({ [attributes["location"] ?? ""]: evaluate(attributes["expr"] ?? element.text, context, event) }))];
      case "log":
        return [log(({ context, event }: Given) => evaluate(attributes["expr"] ?? "''", context, event), attributes["label"] ?? "log")];
      case "send":
        return [sendOf(element)];
      case "cancel":
        return [cancel(({ context, event }: Given) => textOf(attributes, "sendid", { context, event }))];
      case "if":
        return [branches(element)];
      case "foreach":
        return [loop(element)];
      default:
        return [];
    }
  });
}

function sendOf(element: Element): Loose {
  const { attributes } = element;
  const event = (given: Given): Loose => ({ ...(bodyOf(element, given) as object | undefined), type: textOf(attributes, "event", given) });
  const delay = attributes["delay"] ?? attributes["delayexpr"];
  const options = {
    ...(attributes["id"] === undefined ? {} : { id: attributes["id"] }),
    ...(delay === undefined ? {} : { delay: (given: Given) => msOf(textOf(attributes, "delay", given)) }),
  };
  const { target } = attributes;
  if (target === "#_internal") return raise(event, options);
  if (target === "#_parent") return sendParent(event, options);
  if (target?.startsWith("#_") === true) return sendTo(target.slice(2), event, options);
  return sendTo(({ self }: { readonly self: unknown }) => self, event, options);
}

/** Each branch's content is taken when the ones before were not. */
function branches(element: Element): Loose {
  const parts: { readonly condition: string; readonly block: Element[] }[] = [{ condition: element.attributes["cond"] ?? "false", block: [] }];
  for (const child of element.children) {
    if (child.name === "elseif") parts.push({ condition: child.attributes["cond"] ?? "false", block: [] });
    else if (child.name === "else") parts.push({ condition: "true", block: [] });
    else parts.at(-1)?.block.push(child);
  }
  const made = parts.map(({ condition, block }) => ({ condition, actions: actionsOf({ ...element, children: block }) }));
  return enqueueActions(({ enqueue, context, event }: Loose) => {
    const taken = made.find(({ condition }) => Boolean(evaluate(condition, context, event)));
    for (const action of taken?.actions ?? []) enqueue(action);
  });
}

function loop(element: Element): Loose {
  const { attributes } = element;
  const body = actionsOf(element);
  return enqueueActions(({ enqueue, context, event }: Loose) => {
    const items = [...(evaluate(attributes["array"] ?? "[]", context, event) as Iterable<unknown>)];
    items.forEach((item, index) => {
      enqueue.assign({ [attributes["item"] ?? ""]: () => item, ...(attributes["index"] === undefined ? {} : { [attributes["index"]]: () => index }) });
      for (const action of body) enqueue(action);
    });
  });
}

/** Parameters and names by their values, or content. */
function bodyOf(element: Element, { context, event }: Given): unknown {
  const [content] = of(element, "content");
  if (content?.children.length === 0) return evaluate(content.attributes["expr"] ?? content.text, context, event);
  const names = list(element.attributes["namelist"]);
  const params = of(element, "param").map(({ attributes }) => [attributes["name"] ?? "", evaluate(attributes["expr"] ?? attributes["location"] ?? "undefined", context, event)]);
  return names.length + params.length === 0 ? undefined : Object.fromEntries([...names.map((name) => [name, context[name]]), ...params]);
}

function textOf(attributes: Readonly<Record<string, string>>, name: string, { context, event }: Given): string {
  const expression = attributes[`${name}expr`];
  return expression === undefined ? (attributes[name] ?? "") : String(evaluate(expression, context, event));
}

function msOf(text: string): number {
  const [, amount = "0", unit = "ms"] = /^([\d.]+)(ms|s)?$/.exec(text) ?? [];
  return Number(amount) * (unit === "s" ? 1_000 : 1);
}

/** An expression over the data and `_event`, whose data are what the event carries, or the output that it reports. */
function evaluate(expression: string, context: Data, event: Given["event"] | undefined): unknown {
  const { type, ...fields } = event ?? { type: undefined };
  const name = type?.replace(/^xstate\.done\.state/, "done.state").replace(/^xstate\.done\.actor/, "done.invoke");
  const _event = event === undefined ? undefined : { name, data: "output" in event ? event.output : fields };
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- documents of this folder
  return (new Function(...Object.keys(context), "_event", `return (${expression});`) as (...values: unknown[]) => unknown)(...Object.values(context), _event);
}
