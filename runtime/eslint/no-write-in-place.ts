// Rule `drover/no-write-in-place`: a step makes new values of what it is given. What it writes in place stays written when its turn comes to nothing, and no replay knows of it
// (hosting H11; promise S9).
//
// Seen are writes to a parameter of a step's own function, to names for parts of it, and to elements that a loop, a callback or a method such as `find` gives. A helper's parameters are not, nor what lies
// within a copy: they may be what the step has made itself.

import { StepCode } from "./step-code.ts";
import { nameOf, propertyOf, type Rule, type RuleContext, type SyntaxNode, variableOf } from "./syntax-tree.ts";

/** Of arrays, maps, sets and dates. */
const WRITERS =
  /^(?:push|pop|shift|unshift|splice|sort|reverse|fill|copyWithin|set|add|delete|clear|set(?:UTC)?(?:FullYear|Month|Date|Hours|Minutes|Seconds|Milliseconds)|setTime)$/;
const OBJECT_WRITERS = new Set(["assign", "defineProperty", "defineProperties", "setPrototypeOf"]);
const REFLECT_WRITERS = new Set(["set", "deleteProperty", "defineProperty", "setPrototypeOf"]);
/** Methods that give an element of a list or map. */
const PICKERS = new Set(["at", "find", "findLast", "get"]);
/** That give a new list of the same elements. */
const SELECTORS = new Set(["filter", "slice", "concat", "toSorted", "toReversed", "values", "entries"]);
/** That call with each element, as the first or the second argument. */
const EACH = new Set(["forEach", "map", "flatMap", "filter", "find", "findLast", "findIndex", "findLastIndex", "some", "every"]);
const FOLDS = new Set(["reduce", "reduceRight"]);
/** A name for a name for a name. */
const MAX_NAMES = 10;
/** Of what a step's function is given, what is data. */
const DATA = new Set(["context", "event", "params", "input"]);

interface Write {
  readonly node: SyntaxNode;
  /** What is written to. */
  readonly target: SyntaxNode;
  readonly what: string;
}

export const noWriteInPlace: Rule = {
  meta: {
    type: "problem",
    docs: { description: "A step makes new values of what it is given." },
    schema: [],
    messages: {
      write: "{{what}} writes to {{target}} in place, in code that is run while a machine is stepped; make a new value, e.g. [...list, one] or { ...object, key: value }.",
    },
  },
  create(given: never) {
    const context = given as RuleContext;
    const code = new StepCode(context);
    const writes: Write[] = [];
    const assigned = (node: SyntaxNode, target: unknown, what: string): void => {
      if ((target as SyntaxNode).type === "MemberExpression") writes.push({ node, target: (target as SyntaxNode)["object"] as SyntaxNode, what });
    };
    return {
      ":function": (node: SyntaxNode) => {
        code.note(node);
      },
      AssignmentExpression: (node: SyntaxNode) => {
        assigned(node, node["left"], String(node["operator"]));
      },
      UpdateExpression: (node: SyntaxNode) => {
        assigned(node, node["argument"], String(node["operator"]));
      },
      UnaryExpression: (node: SyntaxNode) => {
        if (node["operator"] === "delete") assigned(node, node["argument"], "delete");
      },
      CallExpression: (node: SyntaxNode) => {
        const callee = node["callee"] as SyntaxNode;
        if (callee.type !== "MemberExpression") return;
        const name = propertyOf(callee) ?? "";
        const object = callee["object"] as SyntaxNode;
        const [first] = node["arguments"] as readonly SyntaxNode[];
        const of = nameOf(object);
        const isWriter = of === "Object" ? OBJECT_WRITERS.has(name) : of === "Reflect" && REFLECT_WRITERS.has(name);
        if (isWriter && first !== undefined) writes.push({ node, target: first, what: `${of}.${name}` });
        else if (WRITERS.test(name)) writes.push({ node, target: object, what: `.${name}` });
      },
      "Program:exit": (program: SyntaxNode) => {
        const steps = code.steps(program);
        for (const { node, target, what } of writes) {
          const name = givenName(target, code, steps);
          if (name !== undefined) context.report({ node: node as never, messageId: "write", data: { what, target: name } });
        }
      },
    };
  },
};

/** What of a step's arguments an expression is, or is a part of; undefined: it is something else, or new. */
function givenName(target: SyntaxNode, code: StepCode, steps: ReadonlySet<SyntaxNode>, depth = 0): string | undefined {
  if (depth > MAX_NAMES) return undefined;
  const given = (node: SyntaxNode): string | undefined => givenName(node, code, steps, depth + 1);
  const { root, first, isPart } = rootOf(target);
  if (root.type !== "Identifier") return elementsOf(root, isPart, given);
  const name = root["name"] as string;
  const definition = variableOf(code.scopeOf(root), name)?.defs[0];
  if (definition === undefined) return undefined;
  if (definition.type === "Parameter") return steps.has(definition.node) ? dataOf(definition.node, name, first) : eachOf(definition.node, name, given);
  if (definition.node.type !== "VariableDeclarator") return undefined;
  // A name for a part of it: const { list } = context, const list = context.list, for (const one of context.list).
  const made = definition.node["init"] as SyntaxNode | null;
  const loop = definition.node.parent?.parent;
  if (made === null) return loop?.type === "ForOfStatement" && loop["left"] === definition.node.parent ? elementsOf(loop["right"] as SyntaxNode, true, given) : undefined;
  const isWhole = (definition.node["id"] as SyntaxNode).type === "Identifier" && !isPart;
  return made.type === "Identifier" || made.type === "MemberExpression" ? given(made) : elementsOf(made, !isWhole, given);
}

/** Where elements of a list, map or set come from. @param isPart one of them is meant, not the list, which may be new */
function elementsOf(node: SyntaxNode, isPart: boolean, given: (node: SyntaxNode) => string | undefined): string | undefined {
  const plain = rootOf(node).root;
  if (plain.type !== "CallExpression") return node.type === "Identifier" || node.type === "MemberExpression" ? given(node) : undefined;
  const callee = plain["callee"] as SyntaxNode;
  if (callee.type !== "MemberExpression") return undefined;
  const method = propertyOf(callee) ?? "";
  const object = callee["object"] as SyntaxNode;
  const [list] = plain["arguments"] as readonly SyntaxNode[];
  const isWithin = isPart || plain !== node;
  if (nameOf(object) === "Object") return isWithin && (method === "values" || method === "entries") && list !== undefined ? elementsOf(list, true, given) : undefined;
  if (PICKERS.has(method)) return elementsOf(object, true, given);
  return isWithin && SELECTORS.has(method) ? elementsOf(object, true, given) : undefined;
}

/** The parameter of a function that is called with each element: `context.list.forEach((one) => …)`. */
function eachOf(callback: SyntaxNode, name: string, given: (node: SyntaxNode) => string | undefined): string | undefined {
  const call = callback.parent;
  if (call?.type !== "CallExpression") return undefined;
  const callee = call["callee"] as SyntaxNode;
  if (callee.type !== "MemberExpression" || (call["arguments"] as readonly SyntaxNode[])[0] !== callback) return undefined;
  const method = propertyOf(callee) ?? "";
  const place = EACH.has(method) ? 0 : FOLDS.has(method) ? 1 : undefined;
  const element = place === undefined ? undefined : (callback["params"] as readonly SyntaxNode[])[place];
  return element !== undefined && namesIn(element).includes(name) ? elementsOf(callee["object"] as SyntaxNode, true, given) : undefined;
}

/** `a` and `b` of `a.b.c[d]`. */
function rootOf(target: SyntaxNode): { readonly root: SyntaxNode; readonly first: string | undefined; readonly isPart: boolean } {
  let first: string | undefined;
  let isPart = false;
  let at = target;
  for (;;) {
    if (at.type === "MemberExpression") {
      first = propertyOf(at);
      isPart = true;
      at = at["object"] as SyntaxNode;
    } else if (at.type === "TSNonNullExpression" || at.type === "TSAsExpression" || at.type === "ChainExpression") at = at["expression"] as SyntaxNode;
    else return { root: at, first, isPart };
  }
}

/** By how the step's function takes its arguments: `({ context }) => …`, `(args) => args.context`, `(state, event) => …` of a reducer. */
function dataOf(step: SyntaxNode, name: string, first: string | undefined): string | undefined {
  for (const parameter of step["params"] as readonly SyntaxNode[]) {
    if (parameter.type === "Identifier" && parameter["name"] === name) {
      const isArguments =
        (step["params"] as readonly SyntaxNode[])[0] === parameter && first !== undefined && (DATA.has(first) || first === "self" || first === "system" || first === "spawn");
      if (isArguments) return DATA.has(first) ? first : undefined;
      return name;
    }
    if (parameter.type !== "ObjectPattern") continue;
    for (const property of parameter["properties"] as readonly SyntaxNode[]) {
      if (property.type === "Property" && namesIn(property["value"]).includes(name)) return DATA.has(nameOf(property["key"]) ?? "") ? name : undefined;
    }
  }
  return undefined;
}

/** The names that a pattern binds. */
function namesIn(pattern: unknown): readonly string[] {
  if (typeof pattern !== "object" || pattern === null) return [];
  const node = pattern as SyntaxNode;
  switch (node.type) {
    case "Identifier":
      return [node["name"] as string];
    case "AssignmentPattern":
      return namesIn(node["left"]);
    case "ObjectPattern":
      return (node["properties"] as readonly SyntaxNode[]).flatMap((property) => namesIn(property["value"] ?? property["argument"]));
    case "ArrayPattern":
      return (node["elements"] as readonly unknown[]).flatMap(namesIn);
    default:
      return [];
  }
}
