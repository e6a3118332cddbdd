// Where a value of a file comes from, when that is a global or one of Node's modules: through imports, `require`, constants and destructuring, e.g. ["Math", "random"] of
// `const { random } = Math`. Parameters, what is assigned later and what a function returns have no origin here.

import { nodeModule } from "./node-modules.ts";
import { nameOf, propertyOf, type Scope, type SyntaxNode, type Variable, variableOf } from "./syntax-tree.ts";

export interface Origin {
  /** The name of a global, or of one of Node's modules without `node:`. */
  readonly root: string;
  readonly isModule: boolean;
  /** Names within it. */
  readonly path: readonly string[];
}

/** A use of something that has an origin: the outermost node of `a.b.c`. */
export interface Use {
  readonly node: SyntaxNode;
  readonly origin: Origin;
}

const GLOBAL_OBJECTS = new Set(["globalThis", "global", "window", "self"]);
/** A name for a name for a name. */
const MAX_STEPS = 20;
/** What may stand around a value and leaves it as it is. */
const WRAPPERS = new Set(["TSAsExpression", "TSNonNullExpression", "TSSatisfiesExpression", "TSTypeAssertion", "ChainExpression"]);
const NO_VALUES = /^(?:Import|Export\w*Specifier|PropertyDefinition|MethodDefinition|LabeledStatement|RestElement|TS)/;

export class Origins {
  readonly #scopeOf: (node: SyntaxNode) => Scope;
  readonly #known = new Map<Variable, Origin | undefined>();

  constructor(scopeOf: (node: SyntaxNode) => Scope) {
    this.#scopeOf = scopeOf;
  }

  /** Of an expression. */
  of(node: SyntaxNode, steps = 0): Origin | undefined {
    if (steps > MAX_STEPS) return undefined;
    if (WRAPPERS.has(node.type)) return this.of(node["expression"] as SyntaxNode, steps + 1);
    switch (node.type) {
      case "Identifier":
        return this.#ofName(node, steps);
      case "MemberExpression": {
        const object = this.of(node["object"] as SyntaxNode, steps + 1);
        return object && within(object, [propertyOf(node) ?? "[…]"]);
      }
      case "CallExpression":
        return required(node);
      case "AwaitExpression":
        return imported(node["argument"] as SyntaxNode);
      default:
        return undefined;
    }
  }

  /** What stands at a name, a `require` or an `import()` and has an origin; undefined where it is only given another name, whose uses count. */
  useAt(node: SyntaxNode): Use | undefined {
    if (node.type === "Identifier" && !isValue(node)) return undefined;
    const isAwaited = node.type === "ImportExpression" && node.parent?.type === "AwaitExpression";
    let outermost = isAwaited ? node.parent : node;
    let origin = node.type === "ImportExpression" ? imported(node) : this.of(node);
    if (origin === undefined) return undefined;
    for (let { parent } = outermost; parent !== undefined && parent !== null; { parent } = outermost) {
      if (parent.type === "MemberExpression" && parent["object"] === outermost) origin = within(origin, [propertyOf(parent) ?? "[…]"]);
      else if (!(WRAPPERS.has(parent.type) && parent["expression"] === outermost)) break;
      outermost = parent;
    }
    const { parent } = outermost;
    const isNamed =
      parent?.type === "VariableDeclarator" && parent["init"] === outermost && (node.type !== "ImportExpression" || isAwaited) && bindsNames(parent["id"] as SyntaxNode);
    return isNamed ? undefined : { node: outermost, origin };
  }

  #ofName(node: SyntaxNode, steps: number): Origin | undefined {
    const name = node["name"] as string;
    const variable = variableOf(this.#scopeOf(node), name);
    const definition = variable?.defs[0];
    if (variable === undefined || definition === undefined) return { root: name, isModule: false, path: [] };
    if (this.#known.has(variable)) return this.#known.get(variable);
    this.#known.set(variable, undefined);
    const origin = definition.type === "ImportBinding" ? ofImport(definition.node, definition.parent) : this.#ofConstant(definition.node, definition.name, steps);
    this.#known.set(variable, origin);
    return origin;
  }

  #ofConstant(declarator: SyntaxNode, name: SyntaxNode, steps: number): Origin | undefined {
    if (declarator.type !== "VariableDeclarator") return undefined;
    const init = declarator["init"] as SyntaxNode | null | undefined;
    const path = pathTo(name, declarator["id"] as SyntaxNode);
    if (init === undefined || init === null || path === undefined) return undefined;
    const whole = this.of(init, steps + 1);
    return whole && within(whole, path);
  }
}

function within({ root, isModule, path }: Origin, more: readonly string[]): Origin {
  const [first, ...rest] = [...path, ...more];
  if (first === undefined) return { root, isModule, path };
  return !isModule && GLOBAL_OBJECTS.has(root) ? { root: first, isModule, path: rest } : { root, isModule, path: [first, ...rest] };
}

function ofModule(specifier: unknown, path: readonly string[]): Origin | undefined {
  const root = nodeModule((specifier as SyntaxNode | undefined)?.["value"]);
  return root === undefined ? undefined : { root, isModule: true, path };
}

function required(call: SyntaxNode): Origin | undefined {
  return nameOf(call["callee"]) === "require" ? ofModule((call["arguments"] as readonly SyntaxNode[])[0], []) : undefined;
}

function imported(expression: SyntaxNode): Origin | undefined {
  return expression.type === "ImportExpression" ? ofModule(expression["source"], []) : undefined;
}

function ofImport(specifier: SyntaxNode, declaration: SyntaxNode | null | undefined): Origin | undefined {
  // import fs = require("fs")
  if (specifier.type === "TSImportEqualsDeclaration") return ofModule((specifier["moduleReference"] as SyntaxNode)["expression"], []);
  if (specifier["importKind"] === "type" || declaration?.["importKind"] === "type") return undefined;
  return ofModule(declaration?.["source"], specifier.type === "ImportSpecifier" ? [nameOf(specifier["imported"]) ?? ""] : []);
}

/** The names that lead to `name` in what a pattern takes apart; undefined: it is not known which. */
function pathTo(name: SyntaxNode, pattern: SyntaxNode): readonly string[] | undefined {
  switch (pattern.type) {
    case "Identifier":
      return pattern === name ? [] : undefined;
    case "AssignmentPattern":
      return pathTo(name, pattern["left"] as SyntaxNode);
    case "ObjectPattern":
      for (const property of pattern["properties"] as readonly SyntaxNode[]) {
        if (property.type !== "Property") {
          const path = pathTo(name, property["argument"] as SyntaxNode);
          if (path !== undefined) return path;
          continue;
        }
        const path = pathTo(name, property["value"] as SyntaxNode);
        if (path !== undefined) return [(property["computed"] === true ? undefined : nameOf(property["key"])) ?? "[…]", ...path];
      }
      return undefined;
    default:
      return undefined;
  }
}

/** Whether every name that a pattern binds has a path. */
function bindsNames(pattern: SyntaxNode): boolean {
  switch (pattern.type) {
    case "Identifier":
      return true;
    case "AssignmentPattern":
      return bindsNames(pattern["left"] as SyntaxNode);
    case "ObjectPattern":
      return (pattern["properties"] as readonly SyntaxNode[]).every((property) => bindsNames((property["value"] ?? property["argument"]) as SyntaxNode));
    default:
      return false;
  }
}

/** Whether an identifier is used as a value, not as a name of something. */
function isValue(node: SyntaxNode): boolean {
  const parent = node.parent as SyntaxNode;
  switch (parent.type) {
    case "MemberExpression":
      return parent["object"] === node || parent["computed"] === true;
    case "Property":
      return parent["value"] === node && parent.parent?.type !== "ObjectPattern";
    case "VariableDeclarator":
      return parent["init"] === node;
    case "AssignmentExpression":
    case "AssignmentPattern":
      return parent["right"] === node;
    case "PropertyDefinition":
      return parent["value"] === node;
    default:
      return WRAPPERS.has(parent.type) || !NO_VALUES.test(parent.type);
  }
}
