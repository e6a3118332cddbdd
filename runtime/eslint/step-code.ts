// Which functions of a file are run while a machine is stepped: guards, assigns, what is computed for sends, delays, inputs, outputs and first contexts, steps of
// reducers, and the functions of the same file that those use. Custom actions and sources are not: they run after the commit (hosting H9, N1).

import { Origins } from "./origins.ts";
import { isFunction, nameOf, propertyOf, type RuleContext, type Scope, type SyntaxNode, variableOf } from "./syntax-tree.ts";

/** Makers whose functions are all run in the step, by names that nobody else uses. */
const DISTINCT = new Set(["assign", "enqueueActions", "sendParent", "sendTo", "spawnChild", "stopChild", "forwardTo", "stateIn", "fromTransition"]);
/** By names that others use too: taken when they are XState's or Drover's. */
const COMMON = new Set(["raise", "emit", "cancel", "log", "and", "or", "not", "reducer"]);
const MACHINES = new Set(["createMachine", "createStateConfig", "setup", "provide"]);
/** Of a machine's configuration: the keys whose functions are run in the step, and those that hold such functions by name. */
const STEP_KEYS = new Set(["guard", "context", "output", "input"]);
const STEP_TABLES = new Set(["guards", "delays"]);
/** What a name may stand for besides a function: `const now = Date.now`, `const began = Date.now()`. Larger ones, e.g. a machine, hold code that runs at other times. */
const VALUES = new Set(["MemberExpression", "NewExpression", "BinaryExpression", "TemplateLiteral", "Identifier"]);
/** What a member may be another name for: `{ now: Date.now }`. */
const NAMES = new Set(["MemberExpression", "Identifier"]);
const PACKAGES = /^(xstate|drover)(\/|$)/;

type Named = readonly [made: SyntaxNode, uses: readonly SyntaxNode[]];

export class StepCode {
  readonly #context: RuleContext;
  readonly #functions: SyntaxNode[] = [];
  readonly #steps = new Set<SyntaxNode>();
  readonly #stepped = new Set<SyntaxNode>();
  #isFound = false;
  readonly origins = new Origins((node) => this.scopeOf(node));

  constructor(context: RuleContext) {
    this.#context = context;
  }

  /** To be called with every function of the file. */
  note(node: SyntaxNode): void {
    this.#functions.push(node);
  }

  scopeOf(node: SyntaxNode): Scope {
    return this.#context.sourceCode.getScope(node as never) as Scope;
  }

  /** Those that are run while a machine is stepped. To be asked when all functions are noted. */
  stepped(program: SyntaxNode): ReadonlySet<SyntaxNode> {
    this.#find(program);
    return this.#stepped;
  }

  /** Whether what stands here is run, read or called, while a machine is stepped: within such a function, or handed over as one. To be asked when all functions are noted. */
  isStepped(node: SyntaxNode, program: SyntaxNode): boolean {
    return isWithin(node, this.stepped(program)) || this.#isStepPlace(node);
  }

  /** Those of them that XState itself calls, with what it gives a step; the others are helpers, which get anything. To be asked when all functions are noted. */
  steps(program: SyntaxNode): ReadonlySet<SyntaxNode> {
    this.#find(program);
    return this.#steps;
  }

  #find(program: SyntaxNode): void {
    if (this.#isFound) return;
    this.#isFound = true;
    const named = this.#named(this.scopeOf(program));
    for (const node of this.#functions) if (this.#isStepPlace(node)) this.#steps.add(node);
    for (const [node, uses] of named) if (uses.some((use) => this.#isStepPlace(use))) this.#steps.add(node);
    for (const node of this.#steps) this.#stepped.add(node);
    for (let grew = true; grew; ) {
      grew = false;
      for (const [node, uses] of named) {
        if (this.#stepped.has(node) || !uses.some((use) => isWithin(use, this.#stepped))) continue;
        this.#stepped.add(node);
        grew = true;
      }
    }
  }

  /** What has a name in this file, and where it is used: functions, those of objects and classes, and values, which are another in each process. */
  #named(scope: Scope): readonly Named[] {
    const found: Named[] = [];
    for (const variable of scope.variables) {
      const node = variable.defs[0]?.node;
      const made = node?.type === "VariableDeclarator" ? (node["init"] as SyntaxNode | null | undefined) : node;
      if (made === undefined || made === null) continue;
      const uses = variable.references.map((reference) => reference.identifier);
      if (isFunction(made) || this.#isValue(made)) found.push([made, uses]);
      else
        for (const [name, method] of methodsOf(made)) {
          const members = uses.map(({ parent }) => parent).filter((use) => use?.type === "MemberExpression" && (propertyOf(use) ?? name) === name);
          found.push([method, members as readonly SyntaxNode[]]);
        }
    }
    return [...found, ...scope.childScopes.flatMap((child) => this.#named(child))];
  }

  #isValue(made: SyntaxNode): boolean {
    if (made.type !== "CallExpression") return VALUES.has(made.type);
    const callee = made["callee"] as SyntaxNode;
    const isOfOthers = callee.type === "MemberExpression" || this.origins.of(callee)?.isModule === true;
    return isOfOthers && (made["arguments"] as readonly SyntaxNode[]).every(({ type }) => type === "Literal" || VALUES.has(type));
  }

  /** Whether what stands here is called while a machine is stepped: the first call that it is an argument of decides. */
  #isStepPlace(node: SyntaxNode): boolean {
    const keys: string[] = [];
    for (let at = node, parent = node.parent; parent !== undefined && parent !== null; at = parent, parent = parent.parent) {
      switch (parent.type) {
        case "Property":
          if (parent["value"] !== at) return false;
          keys.push(nameOf(parent["key"]) ?? "");
          break;
        case "ObjectExpression":
        case "ArrayExpression":
        case "ConditionalExpression":
        case "LogicalExpression":
        case "SpreadElement":
        case "TSAsExpression":
        case "TSSatisfiesExpression":
        case "TSNonNullExpression":
          break;
        case "CallExpression":
          return parent["callee"] !== at && this.#isSteppedBy(parent, keys);
        default:
          return false;
      }
    }
    return false;
  }

  #isSteppedBy(call: SyntaxNode, keys: readonly string[]): boolean {
    const callee = call["callee"] as SyntaxNode;
    const name = callee.type === "MemberExpression" ? propertyOf(callee) : nameOf(callee);
    if (name === undefined || !this.#mayBeXState(callee, name)) return false;
    if (DISTINCT.has(name) || COMMON.has(name)) return true;
    const [innermost = "", above = ""] = keys;
    return MACHINES.has(name) && (STEP_KEYS.has(innermost) || STEP_TABLES.has(above));
  }

  /** A name imported from elsewhere is something else; a common name must come from XState or Drover. */
  #mayBeXState(callee: SyntaxNode, name: string): boolean {
    if (!DISTINCT.has(name) && !COMMON.has(name) && !MACHINES.has(name)) return false;
    const root = callee.type === "MemberExpression" ? (callee["object"] as SyntaxNode) : callee;
    const rootName = root.type === "Identifier" ? (root["name"] as string) : undefined;
    if (rootName === "Object") return false;
    const definition = rootName === undefined ? undefined : variableOf(this.scopeOf(callee), rootName)?.defs[0];
    if (definition?.type === "ImportBinding") {
      const source = (definition.parent?.["source"] as SyntaxNode | undefined)?.["value"];
      const isTheirs = typeof source === "string" && PACKAGES.test(source);
      // A local module may hand XState's makers on, but "log" or "emit" of one is probably its own.
      return isTheirs || (DISTINCT.has(name) && typeof source === "string" && source.startsWith("."));
    }
    return !COMMON.has(name) || rootName === "enqueue";
  }
}

/** The functions of an object or class that are reached by its name, and what else its members are names for. */
function methodsOf(made: SyntaxNode): readonly (readonly [name: string, method: SyntaxNode])[] {
  const isClass = made.type === "ClassDeclaration" || made.type === "ClassExpression";
  if (!isClass && made.type !== "ObjectExpression") return [];
  const members = (isClass ? (made["body"] as SyntaxNode)["body"] : made["properties"]) as readonly SyntaxNode[];
  return members.flatMap((member) => {
    const name = nameOf(member["key"]);
    const value = member["value"] as SyntaxNode | null | undefined;
    const isReached = !isClass || member["static"] === true;
    return name !== undefined && isReached && value !== undefined && value !== null && (isFunction(value) || NAMES.has(value.type)) ? [[name, value] as const] : [];
  });
}

/** Whether a node lies within one of these; an action that is enqueued runs later. */
function isWithin(node: SyntaxNode, functions: ReadonlySet<SyntaxNode>): boolean {
  for (let at: SyntaxNode | null | undefined = node; at !== undefined && at !== null; at = at.parent) {
    if (functions.has(at)) return true;
    if (!isFunction(at)) continue;
    const parent = at.parent;
    if (parent?.type === "CallExpression" && nameOf(parent["callee"]) === "enqueue") return false;
  }
  return false;
}
