// The update task of one module: hears its trigger, opens its port, writes what is uploaded into the idle slot, reboots, and tells who it is then (research/trailcurrent.md 4.1).
//
// T1. A trigger while the task runs changes nothing; it is counted all the same. A window is what one trigger has begun: 3 to 20 s until the port opens, 180 s from there.
// T2. A window survives an upload that failed, and no loss of power.
// T3. 200 is said once the slot was read back, found sound and chosen. What runs after the reboot is what the bootloader finds; the report (0x04) is the image's.
// T4. Times are those of real modules divided by the clock factor; when the n-th port of a module opens is decided by the seed alone.

import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock, Log, TimeoutHandle } from "../../../runtime/ports/index.ts";
import type { Board, BoardSpec, BoardUpdates, Booted, Firmware } from "../board.ts";
import { IMAGE_MAGIC, type ImageIdentity, makeImage } from "./image.ts";
import { Slots } from "./slots.ts";
import { UploadPort } from "./upload-port.ts";

export type Version = readonly [number, number, number];

/** How an upload ends in its middle. `cut`: the connection alone; `stall`: nothing more is read; `reset`: the program starts anew; `brown-out`: power is gone for a while. */
export interface UploadEnding {
  readonly how: "brown-out" | "cut" | "reset" | "stall";
  readonly atPercent: number;
  /** Of so many uploads. */
  readonly times: number;
}

/** Set by a person or a test; each stays until it is taken back. */
export interface UpdateFaults {
  /** ms of a real module after the trigger, or never. */
  opensAfterMs?: number | "never";
  /** What it reports, whatever it runs. */
  lie?: Version;
  /** It says 200 and boots what it had. */
  keepsOldImage?: boolean;
  /** It says 200 and is not heard of again, until somebody reboots it. */
  staysDark?: boolean;
  /** It says 200, boots, reports its version once and hangs, until somebody reboots it. */
  hangsAtStart?: boolean;
  /** It reads so fast at most. */
  bytesPerSecond?: number;
  ending?: UploadEnding;
}

export interface UploadRecord {
  readonly at: number;
  readonly bytes: number;
  receivedBytes: number;
  outcome: "cut" | "refused" | "taken" | "under way";
  /** Of a refusal. */
  reason?: string;
  image?: ImageIdentity;
}

/** Wall ms. */
export interface UpdateWindow {
  /** Counts from 1. */
  readonly number: number;
  readonly triggeredAt: number;
  /** Frames with this module's MAC that were on the wire from its first one to its end. */
  triggers: number;
  openedAt?: number;
  endedAt?: number;
  ended?: "closed" | "never opened" | "power lost" | "rebooted";
  /** The newest 20. */
  readonly uploads: UploadRecord[];
}

export interface ModuleUpdatesOptions {
  readonly folder: string;
  readonly port: number;
  readonly clockFactor: number;
  readonly seed: number;
  readonly firmwareOf: (type: string) => Firmware | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

const OPENS_AFTER_MS = { least: 3_000, most: 20_000 } as const;
const WINDOW_MS = 180_000;
/** From the answer to the restart. */
const REBOOT_AFTER_MS = 1_000;
const BROWN_OUT_MS = 1_500;
const MAX_WINDOWS = 100;
const MAX_UPLOADS = 20;

export class ModuleUpdates implements BoardUpdates {
  readonly faults: UpdateFaults = {};
  readonly #spec: BoardSpec;
  readonly #options: ModuleUpdatesOptions;
  readonly #slots: Slots;
  readonly #port: UploadPort;
  readonly #windows: UpdateWindow[] = [];
  #board: Board | undefined;
  #window: UpdateWindow | undefined;
  #isRebooting = false;
  #hangsNext = false;
  #triggers = 0;
  #outsideWindows = 0;
  #count = 0;
  #endings = 0;
  #over = new AbortController();
  #supply: TimeoutHandle | undefined;

  constructor(spec: BoardSpec, options: ModuleUpdatesOptions) {
    this.#spec = spec;
    this.#options = options;
    this.#slots = new Slots(options.folder, spec);
    this.#port = new UploadPort({
      port: options.port,
      handle: (request, response) => this.#serve(request, response),
      onListening: () => {
        if (this.#window !== undefined) this.#window.openedAt = this.#options.clock.now();
      },
      clock: options.clock,
      log: options.log,
    });
  }

  /** Undefined for a part that was plugged in later, until its port has opened once. */
  get url(): string | undefined {
    return this.#port.url;
  }

  attach(board: Board): void {
    this.#board = board;
  }

  stop(): void {
    this.#options.clock.clearTimeout(this.#supply);
    this.powerLost();
  }

  boot(): Booted | undefined {
    const image = this.#slots.boot();
    const firmware = image === undefined ? undefined : this.#options.firmwareOf(image.type);
    if (image === undefined || firmware === undefined) return undefined;
    const hangs = this.#hangsNext;
    this.#hangsNext = false;
    return { address: image.address, version: this.faults.lie ?? image.version, firmware, hangs };
  }

  /** A frame with this module's MAC was on the wire, heard or not. */
  seen(): void {
    this.#triggers++;
    if (this.#window === undefined) this.#outsideWindows++;
    else this.#window.triggers++;
  }

  /** T1. */
  triggered(): void {
    if (this.#window !== undefined || this.#isRebooting) return;
    if (this.#outsideWindows > 0) this.#outsideWindows--;
    const window: UpdateWindow = { number: ++this.#count, triggeredAt: this.#options.clock.now(), triggers: 1, uploads: [] };
    this.#window = window;
    this.#over = new AbortController();
    this.#windows.push(window);
    if (this.#windows.length > MAX_WINDOWS) this.#windows.shift();
    const opensAfterMs = this.faults.opensAfterMs ?? this.#drawn(window.number);
    if (opensAfterMs === "never") {
      this.#after(OPENS_AFTER_MS.most, () => {
        this.#end("never opened");
      });
      return;
    }
    if (this.#spec.updateBlocksCan === true) this.#board?.occupy((opensAfterMs + WINDOW_MS) / this.#options.clockFactor);
    this.#after(opensAfterMs, () => {
      this.#port.open();
      this.#after(WINDOW_MS, () => {
        this.#end("closed");
      });
    });
  }

  /** T2. */
  powerLost(): void {
    this.#end(this.#isRebooting ? "rebooted" : "power lost");
    this.#isRebooting = false;
  }

  /** Over the cable, as at the factory; the caller restarts it. What is not named stays as the spec has it. */
  flash(change: Partial<ImageIdentity>): void {
    const { type, hardware, address, version } = { ...this.#spec, ...change };
    this.#slots.flash(makeImage({ type, hardware, address, version }));
  }

  state(): Readonly<Record<string, unknown>> {
    return {
      url: this.url ?? null,
      triggers: this.#triggers,
      outsideWindows: this.#outsideWindows,
      running: this.#slots.running,
      chosen: this.#slots.chosen,
      slots: [this.#slots.look(0), this.#slots.look(1)],
      faults: { ...this.faults },
      windows: structuredClone(this.#windows),
    };
  }

  #end(ended: NonNullable<UpdateWindow["ended"]>): void {
    this.#port.close();
    this.#over.abort();
    const window = this.#window;
    if (window === undefined) return;
    this.#window = undefined;
    window.endedAt = this.#options.clock.now();
    window.ended = ended;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const bytes = Number(request.headers["content-length"]);
    if (request.url !== "/ota") return answer(response, 404, "nothing here");
    if (request.method !== "POST") return answer(response, 405, "POST an image");
    // The family's server takes no chunked bodies.
    if (!Number.isSafeInteger(bytes) || bytes < 0) return answer(response, 411, "say how long it is");
    const window = this.#window;
    if (window === undefined || this.#isRebooting) return answer(response, 503, "rebooting");
    const upload: UploadRecord = { at: this.#options.clock.now(), bytes, receivedBytes: 0, outcome: "under way" };
    window.uploads.push(upload);
    if (window.uploads.length > MAX_UPLOADS) window.uploads.shift();
    const refusal = await this.#receive(request, upload);
    if (refusal === "cut") upload.outcome = "cut";
    else if (refusal === undefined) this.#finish(upload, response);
    else refuse(upload, response, refusal);
  }

  /** Undefined: all bytes are in the slot. Else what the module says, or that nobody is there to say anything to. */
  async #receive(request: IncomingMessage, upload: UploadRecord): Promise<string | undefined> {
    const over = this.#over.signal;
    const ending = this.#nextEnding();
    const endsAt = ending === undefined ? Infinity : Math.floor((upload.bytes * ending.atPercent) / 100);
    const writer = this.#slots.begin();
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        if (over.aborted) return "cut";
        const part = chunk.subarray(0, endsAt - upload.receivedBytes);
        const magic = IMAGE_MAGIC.subarray(upload.receivedBytes, upload.receivedBytes + part.byteLength);
        if (!part.subarray(0, magic.byteLength).equals(magic)) return "this is no image";
        if (!writer.write(part)) return "the slot is full";
        upload.receivedBytes += part.byteLength;
        if (ending !== undefined && upload.receivedBytes >= endsAt) {
          await this.#endBy(ending.how, request);
          return "cut";
        }
        const { bytesPerSecond } = this.faults;
        if (bytesPerSecond !== undefined) await this.#passed((part.byteLength * 1_000) / bytesPerSecond);
      }
      return over.aborted || upload.receivedBytes < upload.bytes ? "cut" : undefined;
    } catch {
      return "cut";
    } finally {
      writer.close();
    }
  }

  /** T3. */
  #finish(upload: UploadRecord, response: ServerResponse): void {
    const found = this.#slots.finish(this.#spec.hardware, this.faults.keepsOldImage !== true);
    if (found.kind === "unsound") return refuse(upload, response, found.reason);
    upload.image = found.identity;
    upload.outcome = "taken";
    this.#isRebooting = true;
    this.#hangsNext = this.faults.hangsAtStart === true;
    answer(response, 200, "OK, rebooting");
    this.#after(REBOOT_AFTER_MS, () => {
      if (this.faults.staysDark === true) this.#board?.powerOff();
      else this.#board?.restart();
    });
  }

  async #endBy(how: UploadEnding["how"], request: IncomingMessage): Promise<void> {
    switch (how) {
      case "cut":
        request.socket.destroy();
        return;
      case "stall":
        await new Promise<void>((resolve) => {
          this.#over.signal.addEventListener("abort", () => {
            resolve();
          });
        });
        return;
      case "reset":
        this.#board?.restart();
        return;
      case "brown-out":
        this.#board?.powerOff();
        this.#supply = this.#options.clock.setTimeout(() => this.#board?.powerOn(), BROWN_OUT_MS / this.#options.clockFactor);
    }
  }

  #nextEnding(): UploadEnding | undefined {
    const { ending } = this.faults;
    if (ending === undefined) {
      this.#endings = 0;
      return undefined;
    }
    if (++this.#endings >= ending.times) {
      delete this.faults.ending;
      this.#endings = 0;
    }
    return ending;
  }

  /** T4. */
  #drawn(number: number): number {
    const { seed } = this.#options;
    const draw =
      createHash("sha256")
        .update(`${String(seed)}/${this.#spec.name}/${String(number)}`)
        .digest()
        .readUInt32BE(0) /
      2 ** 32;
    return OPENS_AFTER_MS.least + draw * (OPENS_AFTER_MS.most - OPENS_AFTER_MS.least);
  }

  /** Of the running program: forgotten at power loss. */
  #after(realMs: number, run: () => void): void {
    this.#board?.after(realMs / this.#options.clockFactor, run);
  }

  /** Also when power is lost meanwhile: then at once. */
  #passed(realMs: number): Promise<void> {
    const { clock, clockFactor } = this.#options;
    const over = this.#over.signal;
    return new Promise((resolve) => {
      const done = (): void => {
        clock.clearTimeout(timer);
        over.removeEventListener("abort", done);
        resolve();
      };
      const timer = clock.setTimeout(done, realMs / clockFactor);
      over.addEventListener("abort", done);
    });
  }
}

function refuse(upload: UploadRecord, response: ServerResponse, reason: string): void {
  upload.outcome = "refused";
  upload.reason = reason;
  answer(response, 500, reason);
}

function answer(response: ServerResponse, status: number, words: string): void {
  // What is still coming is thrown away, so that the answer is read.
  response.req.resume();
  response.writeHead(status, { "content-type": "text/plain", connection: "close" }).end(`${words}\n`);
}
