// Hands one image to a module: `POST` of the file's bytes, no TLS, no login (research/trailcurrent.md 4.1).
//
// U1. Every end is an outcome, and the first one stands. `taken` is the module's word, never a proof: only its version report is (S8).
// U2. In memory are one chunk of the file and at most 1 KiB of the answer, whatever the module sends or does not take.
// U3. Each phase has its deadline (connection, each chunk, the answer) and all of them together have one; a signal ends it at once. Nothing is left behind: file, socket, timers, listeners.
// U4. What is no `200` to the whole file is not taken: a redirect is not followed, and a `200` that comes before the last byte is a module that has not read it.

import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { connect } from "node:net";
import type { Clock, TimeoutHandle } from "../../runtime/ports/index.ts";
import { lookupForRequest, type ModuleAddress, moduleAddress } from "./module-address.ts";

export interface UploadProgress {
  /** What the connection has taken. The module may have read less: what is on its way or in its own buffers counts. */
  readonly sentBytes: number;
  readonly bytes: number;
}

export interface UploadOptions {
  /** E.g. `http://esp32-0A1E05.local/ota`. */
  readonly url: string;
  /** The image; must not change while it is read. */
  readonly file: string;
  readonly signal?: AbortSignal;
  /** Called once a chunk. */
  readonly onProgress?: (progress: UploadProgress) => void;
  /** Default 5000. */
  readonly connectMs?: number;
  /** For a chunk to be taken; default 20000: flash is erased while the module reads nothing. */
  readonly stallMs?: number;
  /** From the last byte to the status, and from there to the end of its text; default 30000. */
  readonly answerMs?: number;
  /** In all; default 180000, as long as a module listens. */
  readonly withinMs?: number;
}

export type UploadOutcome =
  /** 200 to the whole file. */
  | { readonly kind: "taken"; readonly status: 200; readonly text: string; readonly bytes: number }
  /** Any other status. */
  | { readonly kind: "refused"; readonly status: number; readonly text: string; readonly sentBytes: number; readonly bytes: number }
  /**
   * No usable answer. With `sentBytes` below `bytes` the module has no whole image; with all of them sent it may have taken it.
   * `closed` connection lost · `stalled` a chunk was not taken · `no-answer` nothing after the last byte · `too-long` in all · `not-http` · `early` a 200 before the last byte
   */
  | { readonly kind: "cut"; readonly why: CutReason; readonly detail: string; readonly sentBytes: number; readonly bytes: number }
  /** Nobody took the connection: nothing was sent. */
  | { readonly kind: "no-port"; readonly detail: string }
  /** The image cannot be read, is empty, or changed while it was read. */
  | { readonly kind: "no-image"; readonly detail: string; readonly sentBytes: number }
  /** As `cut`, at the caller's wish. */
  | { readonly kind: "aborted"; readonly sentBytes: number; readonly bytes: number };

export type CutReason = "closed" | "stalled" | "no-answer" | "too-long" | "not-http" | "early";

const CHUNK_BYTES = 16 * 1_024;
const MAX_TEXT_BYTES = 1_024;

/** @throws DROVER_CONFIG_INVALID for what is no http URL; whatever `onProgress` throws */
export async function upload(options: UploadOptions, { clock }: { readonly clock: Clock }): Promise<UploadOutcome> {
  const address = moduleAddress(options.url);
  if (options.signal?.aborted === true) return { kind: "aborted", sentBytes: 0, bytes: 0 };
  let file: FileHandle;
  try {
    // What is no plain file must not be waited for.
    file = await open(options.file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    return { kind: "no-image", detail: wordsOf(error), sentBytes: 0 };
  }
  try {
    const found = await file.stat();
    if (!found.isFile() || found.size === 0) return { kind: "no-image", detail: found.isFile() ? "it is empty" : "it is no plain file", sentBytes: 0 };
    return await new Upload(address, file, found.size, options, clock).run();
  } finally {
    await file.close();
  }
}

class Upload {
  readonly #file: FileHandle;
  readonly #bytes: number;
  readonly #options: UploadOptions;
  readonly #clock: Clock;
  readonly #request: ClientRequest;
  #sentBytes = 0;
  #isConnected = false;
  #answer: { readonly status: number; text: Buffer } | undefined;
  #watch: TimeoutHandle | undefined;
  #end: ((outcome: UploadOutcome) => void) | undefined;

  constructor({ url, host, port }: ModuleAddress, file: FileHandle, bytes: number, options: UploadOptions, clock: Clock) {
    this.#file = file;
    this.#bytes = bytes;
    this.#options = options;
    this.#clock = clock;
    this.#request = httpRequest({
      method: "POST",
      host,
      port,
      path: `${url.pathname}${url.search}`,
      createConnection: () => connect({ host, port, lookup: lookupForRequest, autoSelectFamily: false }),
      headers: { "content-type": "application/octet-stream", "content-length": bytes, connection: "close" },
    });
  }

  async run(): Promise<UploadOutcome> {
    const { signal, connectMs = 5_000, withinMs = 180_000 } = this.#options;
    const ended = new Promise<UploadOutcome>((resolve) => {
      this.#end = resolve;
    });
    const total = this.#clock.setTimeout(() => {
      if (this.#isConnected) this.#cut("too-long", `after ${String(withinMs)} ms`);
      else this.#finish({ kind: "no-port", detail: `no connection within ${String(withinMs)} ms` });
    }, withinMs);
    const abort = (): void => {
      this.#finish({ kind: "aborted", sentBytes: this.#sentBytes, bytes: this.#bytes });
    };
    signal?.addEventListener("abort", abort);
    // The file's size was asked in between.
    if (signal?.aborted === true) abort();
    this.#arm(connectMs, () => {
      this.#finish({ kind: "no-port", detail: `no connection within ${String(connectMs)} ms` });
    });
    this.#listen();
    try {
      const sending = this.#send();
      // Its failure is that of the upload; its end is not.
      return await Promise.race([ended, sending.then(() => ended)]);
    } finally {
      this.#end = undefined;
      this.#clock.clearTimeout(total);
      this.#clock.clearTimeout(this.#watch);
      signal?.removeEventListener("abort", abort);
      this.#request.destroy();
    }
  }

  #listen(): void {
    const request = this.#request;
    request.on("socket", (socket) => {
      socket.once("connect", () => {
        this.#isConnected = true;
        this.#awaitTaking();
      });
    });
    request.on("response", (response) => {
      this.#read(response);
    });
    // Also behind the end: destroying a request that waits is an error to it.
    request.on("error", (error) => {
      this.#failed(error);
    });
  }

  /** U2. One chunk after the other, each taken before the next is read. */
  async #send(): Promise<void> {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    while (this.#isOpen() && this.#sentBytes < this.#bytes) {
      const length = await this.#readChunk(chunk);
      if (length === undefined || !this.#isOpen()) return;
      if (!(await this.#taken(chunk.subarray(0, length))) || !this.#isOpen()) return;
      this.#sentBytes += length;
      if (this.#sentBytes < this.#bytes) this.#awaitTaking();
      this.#options.onProgress?.({ sentBytes: this.#sentBytes, bytes: this.#bytes });
    }
    if (!this.#isOpen()) return;
    const { answerMs = 30_000 } = this.#options;
    this.#arm(answerMs, () => {
      this.#cut("no-answer", `nothing within ${String(answerMs)} ms of the last byte`);
    });
    this.#request.end();
  }

  /** Undefined: it ended there, and the outcome is told. */
  async #readChunk(chunk: Buffer): Promise<number | undefined> {
    const wanted = Math.min(chunk.byteLength, this.#bytes - this.#sentBytes);
    try {
      const { bytesRead } = await this.#file.read(chunk, 0, wanted, this.#sentBytes);
      if (bytesRead > 0) return bytesRead;
      this.#finish({ kind: "no-image", detail: `it ended after ${String(this.#sentBytes)} of ${String(this.#bytes)} bytes`, sentBytes: this.#sentBytes });
    } catch (error) {
      this.#finish({ kind: "no-image", detail: wordsOf(error), sentBytes: this.#sentBytes });
    }
    return undefined;
  }

  #taken(chunk: Uint8Array): Promise<boolean> {
    return new Promise((resolve) => {
      this.#request.write(chunk, (error) => {
        resolve(error === null || error === undefined);
      });
    });
  }

  /** The status decides; what follows are words about it, and only the first of them are read. */
  #read(response: IncomingMessage): void {
    const answer = { status: response.statusCode ?? 0, text: Buffer.alloc(0) };
    this.#answer = answer;
    const told = (): void => {
      this.#judge();
    };
    this.#arm(this.#options.answerMs ?? 30_000, told);
    response.on("data", (chunk: Buffer) => {
      answer.text = Buffer.concat([answer.text, chunk.subarray(0, MAX_TEXT_BYTES - answer.text.byteLength)]);
      if (answer.text.byteLength >= MAX_TEXT_BYTES) told();
    });
    response.on("error", told);
    response.on("close", told);
    response.on("end", told);
  }

  /** U4. */
  #judge(): void {
    const { status, text } = this.#answer ?? { status: 0, text: Buffer.alloc(0) };
    const words = readable(text);
    if (status !== 200) this.#finish({ kind: "refused", status, text: words, sentBytes: this.#sentBytes, bytes: this.#bytes });
    else if (this.#sentBytes < this.#bytes) this.#cut("early", `200 after ${String(this.#sentBytes)} of ${String(this.#bytes)} bytes`);
    else this.#finish({ kind: "taken", status, text: words, bytes: this.#bytes });
  }

  #failed(error: NodeJS.ErrnoException): void {
    if (this.#answer !== undefined) this.#judge();
    else if (!this.#isConnected) this.#finish({ kind: "no-port", detail: wordsOf(error) });
    else this.#cut(error.code?.startsWith("HPE_") === true ? "not-http" : "closed", wordsOf(error));
  }

  #awaitTaking(): void {
    const { stallMs = 20_000 } = this.#options;
    if (this.#answer !== undefined) return;
    this.#arm(stallMs, () => {
      this.#cut("stalled", `nothing was taken for ${String(stallMs)} ms`);
    });
  }

  #arm(delayMs: number, run: () => void): void {
    this.#clock.clearTimeout(this.#watch);
    this.#watch = this.#clock.setTimeout(run, delayMs);
  }

  #cut(why: CutReason, detail: string): void {
    this.#finish({ kind: "cut", why, detail, sentBytes: this.#sentBytes, bytes: this.#bytes });
  }

  /** While nothing has been answered and nothing has ended it. */
  #isOpen(): boolean {
    return this.#end !== undefined && this.#answer === undefined;
  }

  /** U1. */
  #finish(outcome: UploadOutcome): void {
    this.#end?.(outcome);
    this.#end = undefined;
  }
}

/** One line of what a module says: no control characters, so that it can be shown. */
function readable(text: Uint8Array): string {
  return new TextDecoder()
    .decode(text)
    .replace(/\p{C}+/gu, " ")
    .trim();
}

function wordsOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
