// One image from its source to its final name.
//
// W1. Bytes are hashed as they are written, in their order; what a former download has left is read and hashed before anything is asked for.
// W2. The final name appears by a rename, after a flush, and only over bytes whose length and hash are the wanted ones. A kill at any moment leaves a part, or the whole.
// W3. A part that was continued and came out wrong is downloaded once more from its first byte: after a power cut a file may be as long as it was, with zeros at its end. What came in one piece and is wrong is removed.
// W4. Wrong is said of a source alone that calls what it gives by this image's name (a strong ETag of its sha256). Any other answer may be somebody's in between, as the page of a portal that wants
//     a login first: what came is removed, and asking again may help. Nor is a part given up for it that came from one who names it, unless it has the image's length.

import { createHash, type Hash } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import { type FileHandle, open, readFile, writeFile } from "node:fs/promises";
import type { Fetch, Fetched } from "./fetch.ts";
import type { ImageFolder } from "./image-folder.ts";

export interface DownloadAsk {
  readonly sha256: string;
  readonly bytes: number;
  readonly fetch: Fetch;
  readonly signal: AbortSignal;
  readonly onProgress: (keptBytes: number) => void;
  /** The disk is full. True: something was given up, writing may go on. */
  readonly onFull: () => Promise<boolean>;
}

export type Downloaded =
  | { readonly kind: "whole"; readonly downloadedBytes: number }
  | { readonly kind: "wrong-image"; readonly why: "hash" | "length"; readonly detail: string }
  | { readonly kind: "not-fetched"; readonly reason: string; readonly isFinal: boolean; readonly status?: number; readonly keptBytes: number }
  | { readonly kind: "disk-full"; readonly detail: string }
  | { readonly kind: "disk-failed"; readonly detail: string };

/** A power cut takes back about so much. */
const FLUSH_EVERY_BYTES = 1_024 * 1_024;
const READ_BYTES = 64 * 1_024;
const MAX_TAG = 200;

export async function download(folder: ImageFolder, ask: DownloadAsk): Promise<Downloaded> {
  let file: FileHandle | undefined;
  try {
    file = await open(folder.part(ask.sha256), constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
    const outcome = await new Download(folder, file, ask).run();
    if (outcome.kind === "whole") await folder.complete(ask.sha256);
    else if (outcome.kind !== "not-fetched") await folder.removePart(ask.sha256);
    return outcome;
  } catch (error) {
    if (!isDiskFault(error)) throw error;
    // What could not be written or flushed is worth nothing, and its room is.
    await folder.removePart(ask.sha256).catch(() => undefined);
    return { kind: isFull(error) ? "disk-full" : "disk-failed", detail: wordsOf(error) };
  } finally {
    await file?.close().catch(() => undefined);
  }
}

class Download {
  readonly #folder: ImageFolder;
  readonly #file: FileHandle;
  readonly #ask: DownloadAsk;
  #hash: Hash = createHash("sha256");
  /** Written and hashed. */
  #offset = 0;
  /** Some of it was there before. */
  #isContinued = false;
  /** W4: of the answer that is read, or was last. */
  #isNamed = false;
  #unflushedBytes = 0;
  #downloadedBytes = 0;

  constructor(folder: ImageFolder, file: FileHandle, ask: DownloadAsk) {
    this.#folder = folder;
    this.#file = file;
    this.#ask = ask;
  }

  async run(): Promise<Downloaded> {
    const { bytes, sha256 } = this.#ask;
    await this.#takeUp();
    while (true) {
      // Killed between the last byte and the new name, there is nothing to ask for.
      const ended = this.#offset < bytes ? await this.#fetchRest() : undefined;
      if (ended === "again") continue;
      if (ended !== undefined) return ended;
      const found = this.#hash.digest("hex");
      if (found === sha256) {
        await this.#file.sync();
        return { kind: "whole", downloadedBytes: this.#downloadedBytes };
      }
      const isContinued = this.#isContinued;
      await this.#beginAgain();
      if (!isContinued) return this.#wrong("hash", `its sha256 is ${found}`);
    }
  }

  /** W1. */
  async #takeUp(): Promise<void> {
    const { size } = await this.#file.stat();
    if (size === 0) return;
    if (size > this.#ask.bytes) return this.#beginAgain();
    for await (const chunk of createReadStream(this.#folder.part(this.#ask.sha256), { highWaterMark: READ_BYTES, end: size - 1 })) {
      this.#hash.update(chunk as Uint8Array);
      this.#offset += (chunk as Uint8Array).byteLength;
    }
    this.#isContinued = true;
    this.#ask.onProgress(this.#offset);
  }

  async #beginAgain(): Promise<void> {
    await this.#file.truncate(0);
    this.#hash = createHash("sha256");
    this.#offset = 0;
    this.#isContinued = false;
  }

  /** Undefined: as many bytes are there as there should be. */
  async #fetchRest(): Promise<Downloaded | "again" | undefined> {
    const { bytes, signal } = this.#ask;
    const etag = this.#offset > 0 ? await this.#keptTag() : undefined;
    const fetched = await this.#ask.fetch({ offset: this.#offset, signal, ...(etag === undefined ? {} : { etag }) });
    if (fetched.kind === "failed") return this.#notFetched(fetched.reason, fetched.isFinal, fetched.status);
    if (fetched.kind === "beyond") {
      if (this.#offset === 0) return this.#notFetched("it has no first byte", true);
      await this.#beginAgain();
      return "again";
    }
    try {
      const name = `"${this.#ask.sha256}"`;
      this.#isNamed = fetched.etag === name;
      if (fetched.totalBytes !== undefined && fetched.totalBytes !== bytes) return this.#wrong("length", `it has ${String(fetched.totalBytes)} bytes`);
      if (fetched.from === 0 && this.#offset > 0) {
        if (etag === name && !this.#isNamed && fetched.totalBytes === undefined) return this.#wrong("length", "it does not go on from what has come");
        await this.#beginAgain();
      }
      if (fetched.from !== this.#offset) return this.#notFetched(`asked for bytes from ${String(this.#offset)} on, was given those from ${String(fetched.from)} on`, true);
      await this.#keepTag(fetched.etag);
      return await this.#take(fetched);
    } finally {
      fetched.close();
    }
  }

  async #take(fetched: Fetched & { kind: "body" }): Promise<Downloaded | undefined> {
    const { bytes, onProgress } = this.#ask;
    const chunks = fetched.chunks[Symbol.asyncIterator]();
    while (true) {
      let next: IteratorResult<Uint8Array, unknown>;
      try {
        next = await chunks.next();
      } catch (error) {
        // What has come stays, and is continued from.
        await this.#file.sync();
        return this.#notFetched(`cut: ${wordsOf(error)}`, false);
      }
      if (next.done === true) return this.#offset === bytes ? undefined : await this.#wrongSoFar(`it ended after ${String(this.#offset)} bytes`);
      const chunk = next.value;
      if (this.#offset + chunk.byteLength > bytes) return await this.#wrongSoFar("more came than it should have");
      await this.#write(chunk);
      this.#hash.update(chunk);
      this.#offset += chunk.byteLength;
      this.#downloadedBytes += chunk.byteLength;
      onProgress(this.#offset);
    }
  }

  async #write(chunk: Uint8Array): Promise<void> {
    for (let written = 0; written < chunk.byteLength; ) {
      try {
        const { bytesWritten } = await this.#file.write(chunk, written, chunk.byteLength - written, this.#offset + written);
        written += bytesWritten;
      } catch (error) {
        if (!isFull(error) || !(await this.#ask.onFull())) throw error;
      }
    }
    this.#unflushedBytes += chunk.byteLength;
    if (this.#unflushedBytes < FLUSH_EVERY_BYTES) return;
    this.#unflushedBytes = 0;
    await this.#file.datasync();
  }

  async #wrongSoFar(detail: string): Promise<Downloaded> {
    await this.#beginAgain();
    return this.#wrong("length", detail);
  }

  /** W4. */
  #wrong(why: "hash" | "length", detail: string): Downloaded {
    if (this.#isNamed) return { kind: "wrong-image", why, detail };
    return this.#notFetched(`what came is not it (${detail}) and does not say so: somebody in between may have answered, a portal or a proxy`, false);
  }

  #notFetched(reason: string, isFinal: boolean, status?: number): Downloaded {
    return { kind: "not-fetched", reason, isFinal, keptBytes: this.#offset, ...(status === undefined ? {} : { status }) };
  }

  async #keptTag(): Promise<string | undefined> {
    try {
      const etag = await readFile(this.#folder.etag(this.#ask.sha256), "utf8");
      // It is sent as a header: what a torn write has left is no tag.
      return /^"[\x21\x23-\x7e]*"$/.test(etag) && etag.length <= MAX_TAG ? etag : undefined;
    } catch {
      return undefined;
    }
  }

  async #keepTag(etag: string | undefined): Promise<void> {
    await writeFile(this.#folder.etag(this.#ask.sha256), etag ?? "", { mode: 0o600 });
  }
}

function isDiskFault(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}

function isFull(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT", "EFBIG"].includes((error as NodeJS.ErrnoException).code ?? "");
}

function wordsOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
