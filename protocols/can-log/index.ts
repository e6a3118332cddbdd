// Recordings of CAN buses: reading and replay.

export { type LogOptions, type LogReader, type LogSummary, openLog, readLogStream } from "./log-reader.ts";
export { type CandumpWriter, type CandumpWriterOptions, createCandumpWriter } from "./candump-writer.ts";
export { READ_FORMATS } from "./log-format.ts";
export { createLogReplay, type LogReplay, type LogReplayOptions } from "./log-replay.ts";
export { KnownInterfaces, noFrameOf, type PlayedBus } from "./played-bus.ts";
