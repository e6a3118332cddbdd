// What a database of messages and signals says, whatever file it came from; where bits lie; corrections laid over it.

export { bitPlaces, byteParts, bytesNeeded, networkBit } from "./bits.ts";
export {
  type AttributeDefinition,
  attributeOf,
  type AttributeOwner,
  type AttributeType,
  type AttributeValue,
  type ByteOrder,
  type CanMessage,
  type CanNode,
  type CanSignal,
  type Database,
  type Diagnostic,
  findMessage,
  findSignal,
  formatPosition,
  type IdKind,
  isFloat,
  type MuxCondition,
  type MuxRange,
  type RawType,
  type WholeScale,
  wholeScaleOf,
  widestMessage,
} from "./database.ts";
export { applyOverlay, type OverlayEntry, type OverlayOutcome, type OverlayProblem } from "./overlay.ts";
