// Logs of what the command line runs: pino, to a file or to standard error.

export { fileLog, isLogLevel, LOG_LEVELS, type OpenLog, streamLog } from "./pino-log.ts";
