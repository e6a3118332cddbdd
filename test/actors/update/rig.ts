// Modules behind a vehicle's entity: what its node would do for their updates and tell of them. They stand for hardware, so they live on while the node that hosts the vehicle is killed.
//
// R1. All of it moves in `step`: nothing here has a timer of its own.
// R2. A version report is heard by who runs when it is said. Nobody repeats it.

import type { ModuleContext, UpdateTasks, VehicleContext } from "../../../actors/index.ts";
import { parseAddress, type System } from "../../../runtime/index.ts";

export const OLD = "1.0.0";
export const NEW = "2.4.0";
const WINDOW_MS = 180_000;
const RESTART_MS = 8_000;

/** What a module does with its updates, one after the other; the last one goes on. */
export type Manner =
  | "good"
  /** 200, and the old version. */
  | "lies"
  /** 200, and never heard of again. */
  | "dies"
  /** 200, and back after twenty minutes. */
  | "is late"
  /** It takes all of it, and its answer is lost. */
  | "loses its answer"
  /** Its answer never comes. */
  | "never answers"
  | "never opens"
  | "cuts the upload"
  /** In mid upload it restarts as it was. */
  | "browns out"
  /** New, and back to the old one in its trial. */
  | "falls back"
  /** New, and silent in its trial. */
  | "falls silent"
  /** Tells that it runs the new version, once, and nothing after it. */
  | "hangs at its start"
  /** As `falls silent`, for a few seconds. */
  | "is quiet for a while";

const SHOWN = { "module.seen": "present", "module.silenced": "silent", "module.excused": "not expected", "module.expected": "unseen" };

interface Upload {
  readonly attempt: number;
  readonly endsAt: number;
  percent: number;
  readonly resolve: (answer: { readonly kind: "taken"; readonly at: number } | { readonly kind: "broken"; readonly why: string }) => void;
}

export interface RigModule {
  readonly part: string;
  firmware: string;
  manners: Manner[];
  isOn: boolean;
  portFrom: number;
  portUntil: number;
  upload: Upload | undefined;
  waiting: { readonly until: number; readonly resolve: (seen: { readonly kind: "open" } | { readonly kind: "closed"; readonly why: string }) => void }[];
  /** Things that happen to it, by time. */
  readonly coming: { at: number; readonly happens: () => void }[];
}

export interface Trigger {
  readonly module: string;
  readonly part: string;
  readonly attempt: number;
  readonly at: number;
  /** By the clock that nobody sets. */
  readonly steadyMs: number;
}

export class Rig {
  readonly modules = new Map<string, RigModule>();
  /** Frames on the bus. */
  readonly triggers: Trigger[] = [];
  readonly uploads: { readonly module: string; readonly attempt: number; readonly at: number }[] = [];
  readonly kept: string[] = [];
  /** What the vehicle's guard says, and of single modules. */
  isSafe = true;
  readonly outputsOn = new Set<string>();
  /** The bus takes no frame, whatever the guard said. */
  isMuted = false;
  /** Nobody is heard. */
  isBusDown = false;
  /** A frame waits for its turn on the bus, for ever. */
  isHanging = false;
  isHeldUp = false;
  /** Version reports that nobody hears: a frame is lost on the bus. */
  lostReports = 0;
  /** So many attempts to fetch an image fail; then it is there. */
  keepFails = 0;
  keepRefuses: string | undefined;
  checkFails = 0;
  checkRefuses: string | undefined;
  /** What the node has heard since it runs. */
  readonly heard = new Map<string, { readonly firmware: string; readonly at: number }>();
  openMs = 5_000;
  uploadMs = 20_000;
  /** The node's, while it runs. */
  #system: System | undefined;
  readonly #vehicle: string;
  readonly #clock: () => number;
  readonly #steady: () => number;

  /** @param clock wall ms, as the vehicle's node has it @param steady ms by which the modules live, whatever clock is set */
  constructor(vehicle: string, clock: () => number, modules: readonly string[], manner: Manner = "good", steady = clock) {
    this.#vehicle = vehicle;
    this.#clock = clock;
    this.#steady = steady;
    for (const [index, name] of modules.entries())
      this.modules.set(name, {
        part: `mac:0A1E0${String(index)}`,
        firmware: OLD,
        manners: [manner],
        isOn: true,
        portFrom: 0,
        portUntil: 0,
        upload: undefined,
        waiting: [],
        coming: [],
      });
  }

  module(name: string): RigModule {
    const found = this.modules.get(name);
    if (found === undefined) throw new Error(`no module ${name}`);
    return found;
  }

  /** The node's wall clock has been set by so many ms, and it tells that before anything else. */
  corrected(byMs: number): void {
    this.#notify(this.#vehicle, { type: "clock.corrected", byMs });
    for (const [name, { firmware, at }] of this.heard) this.heard.set(name, { firmware, at: at + byMs });
  }

  /** The node runs, or has died; what it awaited settles for nobody. */
  plug(system: System | undefined): void {
    const before = this.#system;
    this.#system = system;
    if (system === before || (before === undefined && system !== undefined)) return;
    this.heard.clear();
    for (const module of this.modules.values()) {
      module.waiting = [];
      // Its client is gone: the connection breaks.
      if (module.upload !== undefined) module.upload = undefined;
    }
  }

  readonly tasks: UpdateTasks = {
    "module.check": ({ module: name }) => {
      if (this.checkFails > 0) {
        this.checkFails--;
        throw new Error("the vehicle's file is being read");
      }
      const module = this.modules.get(name);
      if (module === undefined) return { kind: "refused", why: `there is no module ${name}` };
      if (this.checkRefuses !== undefined) return { kind: "refused", why: this.checkRefuses };
      const context = this.#contextOf(name);
      return { kind: "fits", part: module.part, firmware: context?.firmware ?? null, reportedAt: context?.identifiedAt ?? null, windowMs: WINDOW_MS };
    },
    "image.keep": ({ sha256 }) => {
      if (this.keepRefuses !== undefined) return Promise.resolve({ kind: "refused", why: this.keepRefuses });
      if (this.keepFails > 0) {
        this.keepFails--;
        return Promise.reject(new Error("no link"));
      }
      this.kept.push(sha256);
      return Promise.resolve({ kind: "kept" });
    },
    "module.trigger": ({ module: name, part, attempt }) => {
      if (!this.isSafe || this.isMuted || this.#isHeld(name)) return Promise.resolve({ kind: "refused", why: this.isMuted ? "the bus is muted" : "not parked" });
      if (this.isHanging) {
        this.isHeldUp = true;
        return new Promise(() => undefined);
      }
      const module = this.module(name);
      this.triggers.push({ module: name, part, attempt, at: this.#clock(), steadyMs: this.#steady() });
      if (module.isOn && this.#manner(module) !== "never opens") {
        module.portFrom = this.#steady() + this.openMs;
        module.portUntil = this.#steady() + WINDOW_MS;
      }
      return this.triggerAnswers(this.triggers.length);
    },
    "module.await": ({ module: name, withinMs }) =>
      new Promise((resolve) => {
        this.module(name).waiting.push({ until: this.#steady() + withinMs, resolve });
      }),
    "module.upload": ({ module: name, attempt }) =>
      new Promise((resolve) => {
        const module = this.module(name);
        this.uploads.push({ module: name, attempt, at: this.#clock() });
        module.upload = { attempt, endsAt: this.#steady() + this.uploadMs, percent: 0, resolve };
      }),
  };

  /** How the hand-over of a frame ends for its machine; it has left. */
  triggerAnswers: (count: number) => Promise<{ readonly kind: "sent" }> = () => Promise.resolve({ kind: "sent" });

  /** R1. */
  step(): void {
    const nowMs = this.#steady();
    for (const [name, module] of this.modules) {
      for (let next = due(module, nowMs); next !== undefined; next = due(module, nowMs)) next.happens();
      const isOpen = module.isOn && nowMs >= module.portFrom && nowMs < module.portUntil;
      module.waiting = module.waiting.filter(({ until, resolve }) => {
        if (isOpen) resolve({ kind: "open" });
        else if (nowMs >= until) resolve({ kind: "closed", why: "its port did not open" });
        else return true;
        return false;
      });
      this.#writeOn(name, module, nowMs);
    }
    this.#tell();
  }

  #writeOn(name: string, module: RigModule, nowMs: number): void {
    const { upload } = module;
    if (upload === undefined) return;
    const manner = this.#manner(module);
    const percent = Math.min(100, Math.floor(100 - (100 * (upload.endsAt - nowMs)) / this.uploadMs));
    if ((manner === "cuts the upload" || manner === "browns out") && percent >= 50) {
      module.upload = undefined;
      module.manners = rest(module.manners);
      upload.resolve({ kind: "broken", why: `cut after ${String(percent)} %` });
      if (manner === "browns out") this.#restart(name, module, OLD, RESTART_MS);
      return;
    }
    if (percent >= upload.percent + 10) {
      upload.percent = percent - (percent % 10);
      this.#notify(this.#vehicle, { type: "upload.progressed", module: name, attempt: upload.attempt, percent: upload.percent });
    }
    if (nowMs < upload.endsAt) return;
    module.upload = undefined;
    module.portUntil = 0;
    module.manners = rest(module.manners);
    if (manner === "loses its answer") upload.resolve({ kind: "broken", why: "no answer" });
    else if (manner !== "never answers") upload.resolve({ kind: "taken", at: this.#clock() });
    this.#becomes(name, module, manner);
  }

  #becomes(name: string, module: RigModule, manner: Manner): void {
    switch (manner) {
      case "lies":
        this.#restart(name, module, module.firmware, RESTART_MS);
        return;
      case "dies":
        module.isOn = false;
        return;
      case "hangs at its start":
        module.isOn = false;
        module.coming.push({ at: this.#steady() + RESTART_MS, happens: () => this.#runs(name, module, NEW) });
        return;
      case "is late":
        this.#restart(name, module, NEW, 1_200_000);
        return;
      default:
        this.#restart(name, module, NEW, RESTART_MS);
    }
    const later = this.#steady() + RESTART_MS + 10_000;
    if (manner === "falls back") module.coming.push({ at: later, happens: () => this.#restart(name, module, OLD, RESTART_MS) });
    if (manner === "falls silent" || manner === "is quiet for a while") module.coming.push({ at: later, happens: () => (module.isOn = false) });
    if (manner === "is quiet for a while") module.coming.push({ at: later + 20_000, happens: () => (module.isOn = true) });
  }

  #restart(name: string, module: RigModule, firmware: string, ms: number): void {
    module.isOn = false;
    module.portUntil = 0;
    module.coming.push({
      at: this.#steady() + ms,
      happens: () => {
        module.isOn = true;
        this.#runs(name, module, firmware);
      },
    });
  }

  #runs(name: string, module: RigModule, firmware: string): void {
    module.firmware = firmware;
    this.says(name);
  }

  /** Its version report (0x04), as at its boot. */
  says(name: string): void {
    if (this.isBusDown) return;
    if (this.lostReports > 0) this.lostReports--;
    else if (this.#system !== undefined) this.heard.set(name, { firmware: this.module(name).firmware, at: this.#clock() });
  }

  /** What its node finds otherwise than its actors show. */
  #tell(): void {
    for (const [name, module] of this.modules) {
      const address = `${this.#vehicle}/module/${name}`;
      const presence = (this.#system?.read(parseAddress(address))?.state as { readonly presence?: string } | undefined)?.presence;
      if (presence === undefined) continue;
      const said = this.isBusDown ? "module.excused" : module.isOn ? "module.seen" : presence === "not expected" ? "module.expected" : "module.silenced";
      const shown = SHOWN[said];
      if (presence !== shown) this.#notify(address, { type: said, ...(this.isBusDown ? { why: "the bus is down" } : {}) });
      const heard = this.heard.get(name);
      if (heard !== undefined && heard.at !== this.#contextOf(name)?.identifiedAt)
        this.#notify(address, { type: "module.identified", part: module.part, firmware: heard.firmware, at: heard.at });
    }
    const { updates } = (this.#system?.read(parseAddress(this.#vehicle))?.context ?? {}) as VehicleContext;
    for (const { module } of updates?.campaign?.updates ?? []) {
      const open = this.isSafe && !this.#isHeld(module);
      const known = updates?.campaign?.safety[module];
      const why = open ? null : this.isSafe ? `outputs of ${module} are on` : "not parked";
      if (known?.open !== open || known.why !== why) this.#notify(this.#vehicle, { type: "safety.observed", module, open, ...(why === null ? {} : { why }) });
    }
  }

  #isHeld(module: string): boolean {
    const { updates } = (this.#system?.read(parseAddress(this.#vehicle))?.context ?? {}) as VehicleContext;
    return this.outputsOn.has(module) && !Object.hasOwn(updates?.released ?? {}, module);
  }

  #manner(module: RigModule): Manner {
    return module.manners[0] ?? "good";
  }

  #contextOf(name: string): ModuleContext | undefined {
    return this.#system?.read(parseAddress(`${this.#vehicle}/module/${name}`))?.context as ModuleContext | undefined;
  }

  #notify(to: string, event: { readonly type: string; readonly [field: string]: unknown }): void {
    this.#system?.notify(parseAddress(to), event);
  }
}

function due(module: RigModule, nowMs: number): RigModule["coming"][number] | undefined {
  const at = module.coming.findIndex((each) => each.at <= nowMs);
  return at === -1 ? undefined : module.coming.splice(at, 1)[0];
}

function rest(manners: Manner[]): Manner[] {
  return manners.length > 1 ? manners.slice(1) : manners;
}
