// Rule `drover/no-write-in-place`: a step makes new values of what it is given. What it writes in place stays written when its turn comes to nothing, and no replay knows of it
// (hosting H11; promise S9).
//
// Seen are writes to a parameter of a step's own function and to names for parts of it. A helper's parameters are not: they may be what the step has made itself.

import { StepCode } from "./step-code.ts";
import { nameOf, propertyOf, type Rule, type RuleContext, type SyntaxNode, variableOf } from "./syntax-tree.ts";

/** Of arrays, maps, sets and dates. */
const WRITERS =
  /^(?:push|pop|shift|unshift|splice|sort|reverse|fill|copyWithin|set|add|delete|clear|set(?:UTC)?(?:FullYear|Month|Date|Hours|Minutes|Seconds|Milliseconds)|setTime)$/;
const OBJECT_WRITERS = new Set(["assign", "defineProperty", "defineProperties", "setPrototypeOf"]);
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
        if (nameOf(object) === "Object" && OBJECT_WRITERS.has(name) && first !== undefined) writes.push({ node, target: first, what: `Object.${name}` });
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

/** What of a step's arguments an expression is, or is a part of; undefined: it is something else. */
function givenName(target: SyntaxNode, code: StepCode, steps: ReadonlySet<SyntaxNode>, depth = 0): string | undefined {
  const { root, first } = rootOf(target);
  if (root === undefined || depth > 10) return undefined;
  const definition = variableOf(code.scopeOf(root), root["name"] as string)?.defs[0];
  if (definition === undefined) return undefined;
  if (definition.type === "Parameter") return steps.has(definition.node) ? dataOf(definition.node, root["name"] as string, first) : undefined;
  // A name for a part of it: const { list } = context, const list = context.list.
  const made = definition.node.type === "VariableDeclarator" ? (definition.node["init"] as SyntaxNode | null) : null;
  return made === null || !(made.type === "Identifier" || made.type === "MemberExpression") ? undefined : givenName(made, code, steps, depth + 1);
}

/** `a` and `b` of `a.b.c[d]`. */
function rootOf(target: SyntaxNode): { readonly root: SyntaxNode | undefined; readonly first: string | undefined } {
  let first: string | undefined;
  let at = target;
  for (;;) {
    if (at.type === "MemberExpression") {
      first = propertyOf(at);
      at = at["object"] as SyntaxNode;
    } else if (at.type === "TSNonNullExpression" || at.type === "TSAsExpression" || at.type === "ChainExpression") at = at["expression"] as SyntaxNode;
    else return { root: at.type === "Identifier" ? at : undefined, first };
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
