// Recordings of CAN buses: reading and replay.

export { type LogOptions, type LogReader, type LogSummary, openLog, readLogStream } from "./log-reader.ts";
export { READ_FORMATS } from "./log-format.ts";
export { createLogReplay, type LogReplay, type LogReplayOptions } from "./log-replay.ts";
export { KnownInterfaces, noFrameOf, type PlayedBus } from "./played-bus.ts";
