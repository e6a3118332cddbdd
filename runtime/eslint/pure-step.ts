// Rule `drover/pure-step`: what is run while a machine is stepped comes out the same in every replay, on every machine and engine version (hosting H11; rules R2).
//
// Allowed is plain arithmetic, and of Math only what every engine must compute alike. Everything else of Math, `**`, words and orders of a locale, the clock, its time zone,
// chance, timers and the network are reported.

import { isWithin, StepCode } from "./step-code.ts";
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
const GLOBAL_OBJECTS = new Set(["globalThis", "global", "window", "self"]);

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
    return {
      ":function": (node: SyntaxNode) => {
        code.note(node);
      },
      BinaryExpression: power,
      AssignmentExpression: power,
      Identifier: (node: SyntaxNode) => {
        if (isReference(node) && code.isGlobal(node)) checkGlobal(node, node["name"] as string, note);
      },
      MemberExpression: (node: SyntaxNode) => {
        const name = propertyOf(node);
        const object = node["object"] as SyntaxNode;
        if (object.type === "Identifier" && GLOBAL_OBJECTS.has(object["name"] as string) && name !== undefined && code.isGlobal(object)) checkGlobal(node, name, note);
        else if (name?.startsWith("toLocale") === true || name === "localeCompare") note(node, `.${name}`, LOCALE);
        else if (name !== undefined && LOCAL_TIME.test(name) && node.parent?.type === "CallExpression" && node.parent["callee"] === node) note(node, `.${name}`, ZONE);
      },
      "Program:exit": (program: SyntaxNode) => {
        const stepped = code.stepped(program);
        for (const { node, what, advice } of found) if (isWithin(node, stepped)) context.report({ node: node as never, messageId: "impure", data: { what, advice } });
      },
    };
  },
};

/** Whether an identifier is used as a value, not as a name of something. */
function isReference(node: SyntaxNode): boolean {
  const { parent } = node;
  switch (parent?.type) {
    case "MemberExpression":
      return parent["object"] === node || parent["computed"] === true;
    case "Property":
      return parent["value"] === node && parent.parent?.type !== "ObjectPattern";
    case "TSTypeReference":
    case "TSTypeQuery":
    case "TSQualifiedName":
    case "PropertyDefinition":
    case "MethodDefinition":
    case "LabeledStatement":
      return false;
    default:
      return true;
  }
}

function checkGlobal(node: SyntaxNode, name: string, note: (node: SyntaxNode, what: string, advice: string) => void): void {
  if (name === "Math") checkMath(node, note);
  else if (name === "Date") checkDate(node, note);
  else {
    const advice = REACHES.get(name);
    if (advice !== undefined) note(node, name, advice);
  }
}

function checkMath(node: SyntaxNode, note: (node: SyntaxNode, what: string, advice: string) => void): void {
  const { parent } = node;
  if (parent?.type === "MemberExpression" && parent["object"] === node) {
    const name = propertyOf(parent);
    if (name === undefined || !EXACT_MATH.has(name)) note(parent, `Math.${name ?? "[…]"}`, name === "random" ? CHANCE : ENGINES);
  } else if (parent?.type === "VariableDeclarator" && (parent["id"] as SyntaxNode).type === "ObjectPattern") {
    for (const property of (parent["id"] as SyntaxNode)["properties"] as readonly SyntaxNode[]) {
      const name = nameOf(property["key"]);
      if (name === undefined || !EXACT_MATH.has(name)) note(property, `Math.${name ?? "[…]"}`, name === "random" ? CHANCE : ENGINES);
    }
  } else note(node, "Math as a value", ENGINES);
}

/** A date made from numbers, and Date.UTC, are arithmetic; text is read in the machine's time zone. */
function checkDate(node: SyntaxNode, note: (node: SyntaxNode, what: string, advice: string) => void): void {
  const { parent } = node;
  if (parent?.type === "NewExpression" && parent["callee"] === node) {
    const given = parent["arguments"] as readonly SyntaxNode[];
    if (given.length === 0) note(parent, "new Date()", TIME);
    else if (given.length > 1) note(parent, "new Date(year, month, …)", "it is read in the machine's time zone: use Date.UTC");
    else if (nameOf(given[0]) !== undefined && given[0]?.type === "Literal") note(parent, "new Date(text)", "it may be read in the machine's time zone: use Date.UTC");
  } else if (parent?.type === "MemberExpression" && parent["object"] === node) {
    const name = propertyOf(parent);
    if (name !== "UTC") note(parent, `Date.${name ?? "[…]"}`, name === "parse" ? "it may be read in the machine's time zone: use Date.UTC" : TIME);
  } else if (!(parent?.type === "BinaryExpression" && parent["operator"] === "instanceof")) note(node, "Date", TIME);
}
