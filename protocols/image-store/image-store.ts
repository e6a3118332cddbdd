// The store of one folder: who asks for the same image at the same time shares one download, and all of it stays within its bytes.
//
// I1. One download an image, however many ask. Each asker has a signal of its own; the download ends when the last one has gone, and what has come stays.
// I2. What is given up for room is what was used longest ago, never what is being kept, fetched or used.
// I3. An image that a former process kept is hashed once before this one hands it out: a card forgets.
// One process has the folder; a second one would take the parts of the first.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { makeFolder } from "../../runtime/host/index.ts";
import { type Clock, DroverError, type Log, settledWithin, silentLog } from "../../runtime/ports/index.ts";
import { download, type Downloaded } from "./download.ts";
import type { Fetch } from "./fetch.ts";
import { ImageFolder } from "./image-folder.ts";

export interface ImageStoreOptions {
  readonly folder: string;
  /** Of all images together, whole ones and parts. */
  readonly maxBytes: number;
}

export interface ImageProgress {
  readonly keptBytes: number;
  readonly bytes: number;
}

export interface KeepAsk {
  /** 64 lower-case hex digits. */
  readonly sha256: string;
  readonly bytes: number;
  /** Of whoever asks first, where several do. */
  readonly fetch: Fetch;
  readonly signal?: AbortSignal;
  /** Once a chunk, and at once with what is kept already. */
  readonly onProgress?: (progress: ImageProgress) => void;
}

export type KeepOutcome =
  /** @param downloadedBytes by this download; 0: it was there */
  | { readonly kind: "kept"; readonly path: string; readonly bytes: number; readonly downloadedBytes: number }
  /** What came is not the image, although its source calls it so, and was removed. */
  | { readonly kind: "wrong-image"; readonly why: "hash" | "length"; readonly detail: string }
  /** What has come stays, and the next ask goes on from there. @param isFinal the same source will say the same again */
  | { readonly kind: "not-fetched"; readonly reason: string; readonly isFinal: boolean; readonly status?: number; readonly keptBytes: number }
  /** Also with everything given up that may be. */
  | { readonly kind: "no-room"; readonly needsBytes: number; readonly maxBytes: number }
  | { readonly kind: "disk-full"; readonly detail: string }
  | { readonly kind: "disk-failed"; readonly detail: string }
  | { readonly kind: "aborted" };

export interface KeptImage {
  readonly sha256: string;
  /** False: a part that the next ask goes on from. */
  readonly isWhole: boolean;
  readonly bytes: number;
  /** ms since 1970, by this node's clock. */
  readonly usedAt: number;
  /** Being fetched, kept or used: it is not given up. */
  readonly isBusy: boolean;
}

export interface ImageStore {
  /** @throws DROVER_CONFIG_INVALID for what is no sha256 or no length; whatever `fetch` or `onProgress` throws */
  keep(ask: KeepAsk): Promise<KeepOutcome>;
  /** Runs with the path of a whole image, which is neither given up nor removed until the run has ended. */
  use<T>(sha256: string, run: (path: string) => Promise<T>): Promise<{ readonly kind: "used"; readonly value: T } | { readonly kind: "missing" }>;
  /** Whole images and parts, what was used longest ago first. */
  list(): Promise<readonly KeptImage[]>;
  remove(sha256: string): Promise<"removed" | "missing" | "busy">;
  /** Ends downloads; their askers hear `aborted`. */
  close(): Promise<void>;
}

export interface ImageStorePorts {
  readonly clock: Clock;
  readonly log?: Log;
}

/** Makes the folder where it is missing. @throws DROVER_CONFIG_INVALID */
export function openImageStore({ folder, maxBytes }: ImageStoreOptions, ports: ImageStorePorts): ImageStore {
  if (!Number.isSafeInteger(maxBytes) || maxBytes <= 0) throw new DroverError("DROVER_CONFIG_INVALID", "images: maxBytes is a whole number above 0");
  makeFolder(folder, "images");
  return new Images(new ImageFolder(folder, ports.clock), maxBytes, ports.log ?? silentLog);
}

/** A download that is under way, with those who wait for it. */
interface Job {
  /** Room that it was given; 0 until then. */
  room: number;
  readonly stop: AbortController;
  readonly progress: Set<(keptBytes: number) => void>;
  outcome: Promise<KeepOutcome>;
  askers: number;
  keptBytes: number | undefined;
}

class Images implements ImageStore {
  readonly #folder: ImageFolder;
  readonly #maxBytes: number;
  readonly #log: Log;
  readonly #jobs = new Map<string, Job>();
  readonly #uses = new Map<string, number>();
  /** I3. */
  readonly #proved = new Set<string>();
  readonly #closing = new AbortController();
  #roomQueue: Promise<unknown> = Promise.resolve();

  constructor(folder: ImageFolder, maxBytes: number, log: Log) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
    this.#log = log;
  }

  async keep(ask: KeepAsk): Promise<KeepOutcome> {
    const { sha256, bytes, signal } = ask;
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw new DroverError("DROVER_CONFIG_INVALID", "an image is named by its sha256: 64 lower-case hex digits");
    if (!Number.isSafeInteger(bytes) || bytes <= 0) throw new DroverError("DROVER_CONFIG_INVALID", "an image has a whole number of bytes above 0");
    while (true) {
      if (signal?.aborted === true || this.#closing.signal.aborted) return { kind: "aborted" };
      const running = this.#jobs.get(sha256);
      // All who waited for it have gone: it ends, and the next one goes on from what it leaves.
      if (running?.stop.signal.aborted === true) {
        await running.outcome.catch(() => undefined);
        continue;
      }
      const outcome = await this.#awaited(running ?? this.#begin(ask), ask);
      if (outcome.kind !== "kept" || outcome.bytes === bytes) return outcome;
      return { kind: "wrong-image", why: "length", detail: `it has ${String(outcome.bytes)} bytes` };
    }
  }

  async use<T>(sha256: string, run: (path: string) => Promise<T>): Promise<{ readonly kind: "used"; readonly value: T } | { readonly kind: "missing" }> {
    // Counted before anything is awaited, so that it is not given up in between.
    this.#uses.set(sha256, (this.#uses.get(sha256) ?? 0) + 1);
    try {
      if (!(await this.#isProved(sha256))) return { kind: "missing" };
      await this.#folder.touch(sha256);
      return { kind: "used", value: await run(this.#folder.image(sha256)) };
    } finally {
      const left = (this.#uses.get(sha256) ?? 1) - 1;
      if (left > 0) this.#uses.set(sha256, left);
      else this.#uses.delete(sha256);
    }
  }

  async list(): Promise<readonly KeptImage[]> {
    return (await this.#folder.list()).map((file) => ({ ...file, isBusy: this.#isBusy(file.sha256) }));
  }

  async remove(sha256: string): Promise<"removed" | "missing" | "busy"> {
    return this.#alone(async () => {
      const found = (await this.#folder.list()).filter((file) => file.sha256 === sha256);
      if (this.#isBusy(sha256)) return "busy";
      if (found.length === 0) return "missing";
      await this.#giveUp(sha256);
      return "removed";
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const job of this.#jobs.values()) job.stop.abort();
    await Promise.allSettled([...this.#jobs.values()].map((job) => job.outcome));
  }

  /** I1. */
  #begin(ask: KeepAsk): Job {
    const { sha256 } = ask;
    const progress = new Set<(keptBytes: number) => void>();
    const job: Job = { room: 0, stop: new AbortController(), progress, askers: 0, keptBytes: undefined, outcome: Promise.resolve({ kind: "aborted" }) };
    this.#jobs.set(sha256, job);
    job.outcome = this.#run(ask, job).finally(() => {
      this.#jobs.delete(sha256);
    });
    return job;
  }

  async #awaited(job: Job, { bytes, signal, onProgress }: KeepAsk): Promise<KeepOutcome> {
    const told = (keptBytes: number): void => {
      onProgress?.({ keptBytes, bytes });
    };
    job.askers++;
    job.progress.add(told);
    try {
      if (job.keptBytes !== undefined) told(job.keptBytes);
      return (await settledWithin(job.outcome, this.#folder.clock, Infinity, signal)) ?? { kind: "aborted" };
    } finally {
      job.progress.delete(told);
      if (--job.askers === 0) job.stop.abort();
    }
  }

  async #run(ask: KeepAsk, job: Job): Promise<KeepOutcome> {
    const { sha256, bytes } = ask;
    const path = this.#folder.image(sha256);
    if (await this.#isProved(sha256)) {
      await this.#folder.touch(sha256);
      return { kind: "kept", path, bytes: (await stat(path)).size, downloadedBytes: 0 };
    }
    if (!(await this.#makeRoom(sha256, bytes, job))) return { kind: "no-room", needsBytes: bytes, maxBytes: this.#maxBytes };
    const outcome = await download(this.#folder, {
      sha256,
      bytes,
      fetch: ask.fetch,
      signal: job.stop.signal,
      onProgress: (keptBytes) => {
        job.keptBytes = keptBytes;
        for (const tell of job.progress) tell(keptBytes);
      },
      onFull: () => this.#giveUpOldest(),
    });
    return await this.#told(outcome, ask, job);
  }

  async #told(outcome: Downloaded, { sha256, bytes }: KeepAsk, job: Job): Promise<KeepOutcome> {
    if (outcome.kind !== "whole") {
      if (job.stop.signal.aborted) return { kind: "aborted" };
      this.#log.warn({ sha256, ...outcome }, "images: one was not kept");
      return outcome;
    }
    this.#proved.add(sha256);
    await this.#folder.touch(sha256);
    this.#log.info({ sha256, bytes, downloadedBytes: outcome.downloadedBytes }, "images: one is kept");
    return { kind: "kept", path: this.#folder.image(sha256), bytes, downloadedBytes: outcome.downloadedBytes };
  }

  /** I3. What is not what its name says is removed, and told. */
  async #isProved(sha256: string): Promise<boolean> {
    const path = this.#folder.image(sha256);
    const found = await stat(path).catch(() => undefined);
    if (found === undefined) {
      this.#proved.delete(sha256);
      return false;
    }
    if (this.#proved.has(sha256)) return true;
    if ((await hashOf(path)) === sha256) {
      this.#proved.add(sha256);
      return true;
    }
    this.#log.error({ sha256 }, "images: one that was kept is damaged and is removed");
    await rm(path, { force: true });
    return false;
  }

  /** I2. False: it does not fit. */
  async #makeRoom(sha256: string, bytes: number, job: Job): Promise<boolean> {
    return this.#alone(async () => {
      const files = (await this.#folder.list()).filter((file) => file.sha256 !== sha256);
      // A download counts with all that it will have.
      const others = [...this.#jobs].filter(([other, { room }]) => other !== sha256 && room > 0);
      const coming = new Set(others.map(([other]) => other));
      const counted = files.filter((file) => !coming.has(file.sha256));
      const stays = counted.filter((file) => this.#isBusy(file.sha256));
      // Nothing is given up for what does not fit in the end.
      const promised = others.reduce((sum, [, { room }]) => sum + room, 0);
      if (promised + bytesOf(stays) + bytes > this.#maxBytes) return false;
      let taken = promised + bytesOf(counted);
      for (const file of counted) {
        if (taken + bytes <= this.#maxBytes) break;
        if (stays.includes(file)) continue;
        await this.#giveUp(file.sha256);
        taken -= file.bytes;
      }
      job.room = bytes;
      return true;
    });
  }

  /** The disk is full before our share of it is. */
  async #giveUpOldest(): Promise<boolean> {
    return this.#alone(async () => {
      const oldest = (await this.#folder.list()).find((file) => !this.#isBusy(file.sha256));
      if (oldest === undefined) return false;
      await this.#giveUp(oldest.sha256);
      return true;
    });
  }

  async #giveUp(sha256: string): Promise<void> {
    this.#proved.delete(sha256);
    this.#log.info({ sha256 }, "images: one is given up");
    await this.#folder.removeImage(sha256);
    await this.#folder.removePart(sha256);
  }

  #isBusy(sha256: string): boolean {
    return this.#jobs.has(sha256) || this.#uses.has(sha256);
  }

  /** One after the other: who counts bytes must not be counted on by another. */
  #alone<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#roomQueue.then(run);
    this.#roomQueue = result.catch(() => undefined);
    return result;
  }
}

function bytesOf(files: readonly { readonly bytes: number }[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}
