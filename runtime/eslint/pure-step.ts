// Rule `drover/pure-step`: what is run while a machine is stepped comes out the same in every replay, on every machine and engine version (hosting H11; rules R2).
//
// Allowed is plain arithmetic, and of Math only what every engine must compute alike. Everything else of Math, `**`, words and orders of a locale, the clock, its time zone,
// chance, timers and the network are reported, whatever name the file gives them; so is what Node's modules offer but functions of their arguments (node-modules.ts).

import { adviceOn } from "./node-modules.ts";
import type { Use } from "./origins.ts";
import { StepCode } from "./step-code.ts";
import { nameOf, propertyOf, type Rule, type RuleContext, type SyntaxNode } from "./syntax-tree.ts";

const EXACT_MATH = new Set(["abs", "min", "max", "floor", "ceil", "round", "trunc", "sign", "sqrt", "imul", "fround"]);
const TIME = "use now(self), or let the sender put the time into the event";
const CHANCE = "use random(self)";
const ENGINES = "its result may differ between engine versions: use plain arithmetic, a table, or compute it outside and send it";
const LOCALE = "its result depends on the machine's locale and on the engine's version: compare with < and >, format where it is shown";
const ZONE = "it depends on the machine's time zone: use the getUTC and setUTC forms";
const LATER = "use `after`, or raise and sendTo with a delay";
const WORK = "move it into an effect, a task or a source";

/** Globals that a step must not touch, with advice. */
const REACHES: ReadonlyMap<string, string> = new Map([
  ["Intl", LOCALE],
  ["performance", TIME],
  ["crypto", CHANCE],
  ["fetch", WORK],
  ["XMLHttpRequest", WORK],
  ["WebSocket", WORK],
  ["process", "hand it over as input"],
  ["setTimeout", LATER],
  ["setInterval", LATER],
  ["setImmediate", LATER],
  ["queueMicrotask", WORK],
]);
const LOCAL_TIME = /^(?:[gs]et(?:FullYear|Month|Date|Day|Hours|Minutes|Seconds|Milliseconds)|get(?:Year|TimezoneOffset)|to(?:Date|Time)String)$/;

interface Found {
  readonly node: SyntaxNode;
  readonly what: string;
  readonly advice: string;
}

export const pureStep: Rule = {
  meta: {
    type: "problem",
    docs: { description: "What is run while a machine is stepped must come out the same in every replay." },
    schema: [],
    messages: { impure: "{{what}} in code that is run while a machine is stepped; {{advice}}." },
  },
  create(given: never) {
    const context = given as RuleContext;
    const code = new StepCode(context);
    const found: Found[] = [];
    const note = (node: SyntaxNode, what: string, advice: string): void => void found.push({ node, what, advice });
    const power = (node: SyntaxNode): void => {
      if (node["operator"] === "**" || node["operator"] === "**=") note(node, node["operator"], ENGINES);
    };
    const use = (node: SyntaxNode): void => {
      const used = code.origins.useAt(node);
      const reach = used === undefined ? undefined : reachOf(used);
      if (reach !== undefined) found.push(reach);
    };
    return {
      ":function": (node: SyntaxNode) => {
        code.note(node);
      },
      BinaryExpression: power,
      AssignmentExpression: power,
      Identifier: use,
      CallExpression: use,
      ImportExpression: use,
      MemberExpression: (node: SyntaxNode) => {
        const name = propertyOf(node);
        const object = node["object"] as SyntaxNode;
        if (name?.startsWith("toLocale") === true || name === "localeCompare") note(node, `.${name}`, LOCALE);
        else if (name !== undefined && LOCAL_TIME.test(name) && node.parent?.type === "CallExpression" && node.parent["callee"] === node) note(node, `.${name}`, ZONE);
        else if (name === "constructor" && object.type === "NewExpression" && isDate(object["callee"] as SyntaxNode, code)) note(node, "Date, as a date's constructor,", TIME);
      },
      "Program:exit": (program: SyntaxNode) => {
        for (const { node, what, advice } of found) if (code.isStepped(node, program)) context.report({ node: node as never, messageId: "impure", data: { what, advice } });
      },
    };
  },
};

function isDate(callee: SyntaxNode, { origins }: StepCode): boolean {
  const origin = origins.of(callee);
  return origin?.root === "Date" && !origin.isModule && origin.path.length === 0;
}

/** What a step must not use, with advice; undefined: it may. */
function reachOf({ node, origin: { root, isModule, path } }: Use): Found | undefined {
  if (isModule) {
    const advice = adviceOn(root, path);
    return advice === undefined ? undefined : { node, what: path.length === 0 ? `node:${root}` : `${path.join(".")} of node:${root}`, advice };
  }
  if (root === "Math") return mathReach(node, path);
  if (root === "Date") return dateReach(node, path);
  const advice = REACHES.get(root);
  return advice === undefined ? undefined : { node, what: root, advice };
}

function mathReach(node: SyntaxNode, [name]: readonly string[]): Found | undefined {
  if (name === undefined) return { node, what: "Math as a value", advice: ENGINES };
  return EXACT_MATH.has(name) ? undefined : { node, what: `Math.${name}`, advice: name === "random" ? CHANCE : ENGINES };
}

/** A date made from numbers, and Date.UTC, are arithmetic; text is read in the machine's time zone. */
function dateReach(node: SyntaxNode, [name]: readonly string[]): Found | undefined {
  if (name === "UTC") return undefined;
  if (name !== undefined) return { node, what: `Date.${name}`, advice: name === "parse" ? "it may be read in the machine's time zone: use Date.UTC" : TIME };
  const { parent } = node;
  if (parent?.type === "BinaryExpression" && parent["operator"] === "instanceof") return undefined;
  if (parent?.type !== "NewExpression" || parent["callee"] !== node) return { node, what: "Date", advice: TIME };
  const given = parent["arguments"] as readonly SyntaxNode[];
  if (given.length === 0) return { node: parent, what: "new Date()", advice: TIME };
  if (given.length > 1) return { node: parent, what: "new Date(year, month, …)", advice: "it is read in the machine's time zone: use Date.UTC" };
  const isText = nameOf(given[0]) !== undefined && given[0]?.type === "Literal";
  return isText ? { node: parent, what: "new Date(text)", advice: "it may be read in the machine's time zone: use Date.UTC" } : undefined;
}
