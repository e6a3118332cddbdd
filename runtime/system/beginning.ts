// Why an entity could not begin: told to whoever activates it, with a code.

import type { Address } from "../address.ts";
import type { Input } from "../entity/contract.ts";
import { DroverError, type ErrorCode } from "../errors.ts";
import { isWellFormed } from "../xstate/index.ts";
import type { Settled } from "./mail.ts";

/** They are shown and searched as text, and stand in every state. @throws DROVER_DATA_NOT_KEPT */
export function checkLabels(entity: Address, labels: unknown): void {
  if (typeof labels !== "object" || labels === null || Array.isArray(labels)) throw new DroverError("DROVER_DATA_NOT_KEPT", `${entity}: its labels are no object`);
  for (const [name, label] of Object.entries(labels) as readonly (readonly [string, unknown])[]) {
    if (typeof label !== "string")
      throw new DroverError("DROVER_DATA_NOT_KEPT", `${entity}: the label "${name}" is ${label === null ? "null" : `a ${typeof label}`}, a text is expected`);
    if (!isWellFormed(name) || !isWellFormed(label))
      throw new DroverError("DROVER_DATA_NOT_KEPT", `${entity}: the label ${JSON.stringify(name)} has half a character (a lone surrogate)`);
  }
}

/** @param input with which it was to begin, and what became of that */
export function beginFailure(entity: Address, input: Input, result: Settled): DroverError {
  return new DroverError(codeOf(input, result), `${entity}: its ${input.kind} failed: ${whyOf(result)}`);
}

function codeOf(input: Input, result: Settled): ErrorCode {
  if (result.kind === "faulted") return result.code;
  if (result.kind === "invalid") return input.kind === "children" ? "DROVER_TREE_INVALID" : "DROVER_DATA_NOT_KEPT";
  return "DROVER_STORE_FAILED";
}

function whyOf(result: Settled): string {
  switch (result.kind) {
    case "faulted":
      return result.error;
    case "invalid":
      return result.problems.map(({ path, message }) => (message.startsWith(path) ? message : `${path}: ${message}`)).join("; ");
    default:
      return "reason" in result ? (result.reason ?? result.kind) : result.kind;
  }
}
