// Checks by one shape, of files and of what code hands over: what is wrong, what was expected, which name was meant.

export { type Complain, checkShape, describe, type Shape } from "./check-shape.ts";
export {
  aClock,
  aFunction,
  aLog,
  aNumber,
  anObject,
  anything,
  aRandom,
  aStore,
  aText,
  aWholeNumberFrom,
  keysOf,
  listOf,
  oneOf,
  recordOf,
  withMethods,
  yesOrNo,
} from "./code-shapes.ts";
export { demandPorts } from "./demand-ports.ts";
export { complaintAbout, demandShape } from "./demand-shape.ts";
export type { Located, LocatedEntry, LocatedMap, LocatedScalar } from "./located.ts";
export { locatedValue } from "./located-value.ts";
export { nearestName } from "./nearest-name.ts";
export { type Complaint, formatComplaint, formatProblem, type Problem } from "./problem.ts";
