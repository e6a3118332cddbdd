// What a node does for the update of a module: five tasks, each with what it is given and what it may answer. The machine declares them, the node supplies them.
//
// W1. An expected end is an answer. What became of a task that throws, or that did not end in time, is not known.
// W2. `once` is attempted once for an attempt at a module, whatever dies meanwhile (rules F1). The others may be run again with the same input, beside a run that has not been heard of.

import type { WorkContext } from "../../runtime/index.ts";
import type { MadeFor } from "./made-for.ts";

export interface ModuleCheck {
  readonly module: string;
  readonly version: string;
  readonly sha256: string;
  /** Absent where an older cloud has offered it. */
  readonly madeFor?: MadeFor;
}

/** From the vehicle's file, the table of the module's type, and the module's actor. `refused`: there is no such module, its type has no update, its bus takes no frames, or the image is for another one. */
export type ModuleChecked =
  | {
      readonly kind: "fits";
      /** The part in this place, as it named itself: the trigger is for it. */
      readonly part: string;
      /** As it last reported itself, and when that was on the bus, wall ms; null: it never did, or before that was kept. */
      readonly firmware: string | null;
      readonly reportedAt: number | null;
      /** After its trigger its port may be open for so long. */
      readonly windowMs: number;
    }
  | { readonly kind: "refused"; readonly why: string };

export interface ImageWanted {
  readonly sha256: string;
  readonly bytes: number;
}

/** `refused`: no repetition brings it, such as another hash or an image that is gone. What may pass (no link, a full disk) throws. */
export type ImageKept = { readonly kind: "kept" } | { readonly kind: "refused"; readonly why: string };

export interface ModuleTrigger {
  readonly module: string;
  readonly part: string;
  readonly attempt: number;
}

/** `refused`: no frame left, because what must be so at the hand-over was not (vehicle V3, X1). */
export type ModuleTriggered = { readonly kind: "sent" } | { readonly kind: "refused"; readonly why: string };

export interface PortAwaited {
  readonly module: string;
  readonly part: string;
  readonly attempt: number;
  readonly withinMs: number;
}

export type PortSeen = { readonly kind: "open" } | { readonly kind: "closed"; readonly why: string };

export interface ImageUpload extends ImageWanted {
  readonly module: string;
  readonly part: string;
  /** With `module` in what is told of its progress, `upload.progressed`. */
  readonly attempt: number;
}

/** `at`: when the module's answer was there, wall ms, by the clock that version reports are dated with. `broken`: the module did not say that it took all of it. */
export type ImageUploaded = { readonly kind: "taken"; readonly at: number } | { readonly kind: "broken"; readonly why: string };

/** For `vehicleRoot.with({ inner: { tasks } })`. */
export interface UpdateTasks {
  readonly "module.check": (input: ModuleCheck, work: WorkContext) => ModuleChecked | Promise<ModuleChecked>;
  readonly "image.keep": (input: ImageWanted, work: WorkContext) => Promise<ImageKept>;
  readonly "module.trigger": (input: ModuleTrigger, work: WorkContext) => Promise<ModuleTriggered>;
  readonly "module.await": (input: PortAwaited, work: WorkContext) => Promise<PortSeen>;
  readonly "module.upload": (input: ImageUpload, work: WorkContext) => Promise<ImageUploaded>;
}
