// Payloads and values: which message a frame is, decoders (compiled, and an interpreter with identical results), encoder.

export { type Columns, createColumns, createDecoder, type Decoder, type DecoderOptions } from "./decoder.ts";
export { encodeFrame, type EncodeOptions, type EncodeOutcome, type EncodeProblem, type EncodeValues, roundHalfEven } from "./encoder.ts";
export { type GeneratedModule, generateModule } from "./generator.ts";
export { needsExactIntegers, readRawExact, scale, type SignalReader, signalReader } from "./interpreter.ts";
export { createMatcher, isReachable, type Matcher, type MatchRule } from "./matcher.ts";
export { createObjectDecoder, type DecodedObject, type ObjectDecoder } from "./object-decoder.ts";
export { type RowDecoder, wholeFromBytes } from "./row-decoder.ts";
export { createTransportDecoder, type TransportDecoder } from "./transport-decoder.ts";
