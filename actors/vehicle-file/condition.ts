// A condition as data (vehicle D3). Closed grammar, no code:
//
//   either     = both { "or" both }
//   both       = negation { "and" negation }
//   negation   = "not" negation | held
//   held       = atom [ "for" DURATION ]
//   atom       = "(" either ")" | NAME "silent" "for" DURATION | NAME ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) NUMBER-or-LABEL | NAME
//
// A NAME alone is another condition. `for` means: true without a break for that long. A name before `silent` is a bus, a module or a signal.

export type Comparison = "=" | "!=" | "<" | "<=" | ">" | ">=";

export type Condition =
  | { readonly kind: "compare"; readonly signal: string; readonly comparison: Comparison; readonly value: number }
  | { readonly kind: "silent"; readonly of: "bus" | "module" | "signal"; readonly name: string; readonly forMs: number }
  | { readonly kind: "held"; readonly condition: Condition; readonly forMs: number }
  | { readonly kind: "all" | "any"; readonly conditions: readonly Condition[] }
  | { readonly kind: "not"; readonly condition: Condition }
  | { readonly kind: "named"; readonly name: string };
