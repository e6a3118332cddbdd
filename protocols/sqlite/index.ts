export { sqliteStore, type SqliteStore, type SqliteStoreOptions } from "./sqlite-store.ts";
export { SqliteThread, type SqliteThreadOptions } from "./sqlite-thread.ts";
export { runStoreThread } from "./store-thread.ts";
