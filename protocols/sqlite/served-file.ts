// One SQLite file as its facade sees it: open, opened again on demand after a failure, closed.
//
// K1. Only the first opening may move a damaged file aside. Later ones serve entities that live on what the file held: for them damage is an error, and the node
//     starts anew.
// K2. Calls are posted in the order they were made; while a file is opened they wait for that, in order. Commits are carried out before the rest of what waits.

import { realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { DroverError, type Log } from "../../runtime/ports/index.ts";
import type { FileSpec } from "./open-file.ts";
import { type CallOptions, NotPosted, type SqliteThread } from "./sqlite-thread.ts";
import type { ServiceKind } from "./store-thread.ts";

export interface FileOpened {
  readonly created: boolean;
  readonly movedAside: { readonly path: string; readonly reason: string } | undefined;
  readonly isRestored: boolean;
  readonly unclean: boolean;
  /** What the kind of file adds. */
  readonly service: unknown;
}

export interface ServedFileOptions {
  readonly thread: SqliteThread;
  readonly log: Log;
  readonly node?: string | undefined;
  readonly kind: ServiceKind;
  readonly spec: () => Omit<FileSpec, "mayMoveAside">;
  readonly settings?: unknown;
}

/** The least that a card reads, and a processor checks: 1 MB a second. */
const READ_BYTES_A_MS = 1_000;

type Phase =
  | { readonly kind: "new" }
  | { readonly kind: "open"; readonly generation: number }
  /** Was open, and is opened again by the next call. */
  | { readonly kind: "lost" }
  | { readonly kind: "opening"; readonly opened: Promise<FileOpened> }
  | { readonly kind: "closed" };

/** The files that this thread of the process serves, by their whole path: SQLite says only that somebody holds one. */
const served = new Map<string, ServedFile>();

export class ServedFile {
  readonly #options: ServedFileOptions;
  #phase: Phase = { kind: "new" };
  /** Counts openings after the first. */
  reopened = 0;

  constructor(options: ServedFileOptions) {
    this.#options = options;
  }

  /** Opens for the first time, or after `close`. @throws DROVER_STORE_LOCKED, DROVER_STORE_NEWER, DROVER_STORE_FAILED */
  async open(): Promise<FileOpened> {
    if (this.#phase.kind === "opening") return this.#phase.opened;
    if (this.#phase.kind === "open" || this.#phase.kind === "lost") throw new DroverError("DROVER_STORE_FAILED", `${this.#options.spec().path} is open already`);
    return this.#begin(true);
  }

  /** @throws NotPosted when it was kept back, also because the file could not be opened again; DroverError otherwise */
  async call(call: string, argument: unknown, options?: CallOptions): Promise<unknown> {
    if (!this.#isOpen()) {
      try {
        await this.#reopen();
      } catch (error) {
        throw new NotPosted((error as Error).message, error);
      }
    }
    return this.#options.thread.call(call, argument, options);
  }

  /** Why the next opening would not find what is written now. Undefined too while it is not open: its opening tells. */
  async missing(): Promise<string | undefined> {
    return this.#isOpen() ? ((await this.#options.thread.call("missing", undefined)) as string | undefined) : undefined;
  }

  /** Lets what was asked end, then closes. Never rejects: what cannot be closed any more needs no closing. */
  async close(): Promise<void> {
    const { thread, log } = this.#options;
    if (this.#phase.kind === "opening") await this.#phase.opened.catch(() => undefined);
    const isOpen = this.#isOpen();
    this.#phase = { kind: "closed" };
    const path = wholePath(this.#options.spec().path);
    if (served.get(path) === this) served.delete(path);
    try {
      if (isOpen) await thread.call("close", undefined);
    } catch (error) {
      log.warn({ err: error, path: this.#options.spec().path }, "store file did not close");
      await thread.kill();
    }
    await thread.stop();
  }

  /** For whoever finds the file locked: who holds it; undefined when this one does not. */
  holder(): string | undefined {
    if (!this.#isOpen()) return undefined;
    const { node } = this.#options;
    return node === undefined ? "this process" : `this process, by its node ${node}`;
  }

  #isOpen(): boolean {
    if (this.#phase.kind === "open" && this.#phase.generation !== this.#options.thread.generation) this.#phase = { kind: "lost" };
    return this.#phase.kind === "open" && this.#options.thread.isRunning;
  }

  async #reopen(): Promise<void> {
    const { path } = this.#options.spec();
    if (this.#phase.kind === "opening") await this.#phase.opened;
    else if (this.#phase.kind === "open" || this.#phase.kind === "lost") {
      await this.#begin(false);
      this.reopened++;
      this.#options.log.warn({ path }, "store file opened again");
    } else throw new DroverError("DROVER_STORE_FAILED", `${path} is not open`);
  }

  #begin(mayMoveAside: boolean): Promise<FileOpened> {
    const { thread, kind, spec, settings, log } = this.#options;
    const before: Phase = mayMoveAside ? { kind: "new" } : { kind: "lost" };
    const opened = (async (): Promise<FileOpened> => {
      try {
        await thread.start();
        const result = (await thread.call("open", { kind, file: { ...spec(), mayMoveAside }, settings }, { moreMs: readingMs(spec().path) })) as FileOpened;
        this.#phase = { kind: "open", generation: thread.generation };
        served.set(wholePath(spec().path), this);
        if (result.movedAside !== undefined) log.error({ path: spec().path, movedAside: result.movedAside.path, reason: result.movedAside.reason }, "damaged store moved aside");
        else if (result.isRestored)
          log.warn({ path: spec().path }, "store was put back from a copy: the mark beside it is gone; what it holds may be older than what others know of it");
        else if (result.unclean) log.warn({ path: spec().path }, "store was not closed the last time; it was checked");
        return result;
      } catch (error) {
        this.#phase = before;
        // It holds no lock and serves nothing: the next opening begins with a fresh one.
        await thread.kill();
        throw withHolder(spec().path, error);
      }
    })();
    this.#phase = { kind: "opening", opened };
    return opened;
  }
}

/** What may be read through is given time for that: a file that takes longer to check than an answer may take would otherwise never open again. */
function readingMs(path: string): number {
  return Math.ceil((bytesOf(path) + bytesOf(`${path}-wal`)) / READ_BYTES_A_MS);
}

function bytesOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    // The opening says what is wrong with it.
    return 0;
  }
}

function withHolder(path: string, error: unknown): unknown {
  if (!(error instanceof DroverError) || error.code !== "DROVER_STORE_LOCKED") return error;
  const holder = served.get(wholePath(path))?.holder();
  return holder === undefined ? error : new DroverError(error.code, `${path} is held by ${holder}`, { cause: error, retryable: true });
}

/** Its folder is there once it was opened. */
function wholePath(path: string): string {
  try {
    return join(realpathSync(dirname(path)), basename(path));
  } catch {
    return resolve(path);
  }
}
