// SQLite: the journal and the telemetry log of a node, each in its file and on its thread, and the node's identity beside them.

export { type Identity, IDENTITY_FILES, type LoadedIdentity, loadIdentity, readIdentity, saveIdentity } from "./identity-file.ts";
export { sqliteLog, type SqliteLog, type SqliteLogOptions } from "./sqlite-log.ts";
export { sqliteStore, type SqliteStore, type SqliteStoreOptions } from "./sqlite-store.ts";
export { SqliteThread, type SqliteThreadOptions } from "./sqlite-thread.ts";
export { runStoreThread } from "./store-thread.ts";
export { createGate, type ThreadGate } from "./thread-gate.ts";
