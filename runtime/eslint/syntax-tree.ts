// As much of ESLint's interface as the rules use, so that nothing of ESLint is needed where the preset is only shipped.

export interface SyntaxNode {
  readonly type: string;
  readonly parent?: SyntaxNode | null;
  readonly [key: string]: unknown;
}

interface Definition {
  readonly type: string;
  /** The identifier that it declares. */
  readonly name: SyntaxNode;
  readonly node: SyntaxNode;
  readonly parent?: SyntaxNode | null;
}

interface Reference {
  readonly identifier: SyntaxNode;
}

export interface Variable {
  readonly defs: readonly Definition[];
  readonly references: readonly Reference[];
}

export interface Scope {
  readonly set: ReadonlyMap<string, Variable>;
  readonly upper: Scope | null;
  readonly variables: readonly Variable[];
  readonly childScopes: readonly Scope[];
}

export interface RuleContext {
  readonly sourceCode: { getScope(node: never): unknown };
  report(found: { readonly node: never; readonly messageId: string; readonly data: Record<string, string> }): void;
}

/** By selector. A node is `any` because ESLint hands over its own type, whatever its version calls it. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- see above
type Visitor = Record<string, (node: any) => void>;

export interface Rule {
  readonly meta: {
    readonly type: "problem";
    readonly docs: { readonly description: string };
    readonly schema: never[];
    readonly messages: Record<string, string>;
  };
  create(context: never): Visitor;
}

export function isFunction(node: SyntaxNode): boolean {
  return node.type === "ArrowFunctionExpression" || node.type === "FunctionExpression" || node.type === "FunctionDeclaration";
}

/** `a` of `a.b`, of `a?.b` and of `a["b"]`; the name of a plain identifier. */
export function nameOf(node: unknown): string | undefined {
  if (typeof node !== "object" || node === null) return undefined;
  const { type, name, value } = node as SyntaxNode;
  if (type === "Identifier") return name as string;
  return type === "Literal" && typeof value === "string" ? value : undefined;
}

/** `b` of `a.b` and of `a["b"]`; undefined for `a[b]`. */
export function propertyOf(member: SyntaxNode): string | undefined {
  const property = member["property"] as SyntaxNode;
  return member["computed"] === true && property.type === "Identifier" ? undefined : nameOf(property);
}

export function variableOf(scope: Scope, name: string): Variable | undefined {
  for (let at: Scope | null = scope; at !== null; at = at.upper) {
    const found = at.set.get(name);
    if (found !== undefined) return found;
  }
  return undefined;
}
