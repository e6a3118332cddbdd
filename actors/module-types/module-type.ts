// A module type: one row of a family's table. Pure data over the one module machine (actors/module); a new product is a new row, never a new machine.
//
// M1. Names of messages and signals are templates: `{address}` is the place's number, `{channel}` the output's number as the file writes it.
// M2. Signals are read by their name in the signal table, `<module>.<name>`; `{output}` stands for the signal of the output that a command names.
// M3. Every fact carries its source, so that a reader can tell firmware, database and guess apart.

/** A text in which `{address}` and `{channel}` are filled in from the vehicle's file. */
export type Template = string;

export interface ModuleType {
  /** `family/product`, as `use:` in a vehicle's file names it. */
  readonly name: string;
  readonly title: string;
  /** Where the facts of this row were read. */
  readonly source: string;
  readonly place: ModulePlace;
  readonly sends: readonly SentMessage[];
  /** Values of this type that have a name in the signal table besides those of its outputs. */
  readonly signals: readonly ModuleSignal[];
  readonly outputs?: ModuleOutputs;
  /** By the name of the command, e.g. `light.set`. */
  readonly commands: Readonly<Record<string, ModuleCommand>>;
  readonly health: readonly HealthRule[];
  /** How it takes new firmware; left out: it takes none from its vehicle. */
  readonly update?: ModuleUpdate;
}

/** A frame opens the module's port, an image is sent there, a report after its restart tells what it runs (actors/update). */
export interface ModuleUpdate {
  readonly source: string;
  /** Names its part: `part` are the signals of the bytes of its MAC that the file writes, in order. */
  readonly trigger: { readonly message: string; readonly part: readonly string[] };
  readonly report: { readonly message: string; readonly part: readonly string[]; readonly version: readonly string[] };
  /** Its port may be open for so long after its trigger. */
  readonly windowMs: number;
  /** Nothing sends it back to the firmware that it had. A type that can is a new kind of update, with states of its own. */
  readonly undo: false;
}

/** What tells two places of one type apart. */
export type ModulePlace =
  /** At most one on a bus. */
  | { readonly kind: "single" }
  /** `address:` in the file, a whole number in this range. */
  | { readonly kind: "numbered"; readonly from: number; readonly to: number }
  /** `sa:` in the file, a J1939 source address 0x00 to 0xFD. Every message of that sender belongs to the module. */
  | { readonly kind: "j1939" };

export interface SentMessage {
  readonly message: Template;
  /** A frame of it proves that the module is there. Within a type the slowest of these comes at least once in three periods of the fastest, so that one alone keeps it present. */
  readonly presence: boolean;
  /** What the firmware does where no database says it, in ms. Used after the file and both attributes, before learning. */
  readonly periodMs?: number;
  readonly source?: string;
}

export interface ModuleSignal {
  /** Last part of its name in the signal table: `<module>.<name>`. */
  readonly name: string;
  readonly message: Template;
  readonly signal: Template;
  /** One bit of the raw value, 0 = weight 1. */
  readonly bit?: number;
  readonly unit?: string;
  /** A change of it wakes the module's actor. */
  readonly wakes: boolean;
}

export interface ModuleOutputs {
  /** First and last channel number, as the file's keys and the status frame's signals count them. */
  readonly from: number;
  readonly to: number;
  readonly value: CommandValue;
  /** Where the module says what the output does. */
  readonly reported: { readonly message: Template; readonly signal: Template /** Bit of channel `from`; each next channel is one bit higher. */; readonly firstBit?: number };
}

export type CommandValue =
  /** A whole number, e.g. brightness 0..255. */
  | { readonly kind: "level"; readonly from: number; readonly to: number }
  /** true or false; reported as 1 or 0. */
  | { readonly kind: "switch" }
  | { readonly kind: "number"; readonly from: number; readonly to: number; readonly unit: string }
  | { readonly kind: "none" };

export interface ModuleCommand {
  /** `output`: it names one of the module's outputs; `module`: it is meant for the module as a whole. */
  readonly scope: "output" | "module";
  readonly value: CommandValue;
  readonly method: CommandMethod;
  /** Class of the effect that hands the frame over (rules F1): a CAN frame is `once` or `state`, never `idempotent`. */
  readonly effect: "once" | "state";
  /** May the frame be sent again while no status has confirmed it and its time has not ended? A toggle never. */
  readonly repeat: "until-confirmed" | "never";
  /** Signals that the door copies into the input (vehicle V3); `{output}` is the named output's own. */
  readonly reads: readonly string[];
  /** What a status must show; absent: the module never confirms it, its outcome is `unknown`, or `done` for a command without a value. */
  readonly confirm?: Confirmation;
  /** Used where the vehicle's file does not say it (vehicle D4). */
  readonly defaults: { readonly deadlineMs: number; readonly ttlMs: number; readonly whenAway: "refuse" | "wait" | "run-at-owner" };
}

export type CommandMethod =
  /** One frame that names the wanted value: sent twice it does the same. */
  | { readonly kind: "set"; readonly frame: CommandFrame }
  /** One frame that turns the output over: it may be handed over only as vehicle V2 says. */
  | {
      readonly kind: "toggle";
      readonly frame: CommandFrame;
      /** The status it is decided on is at most this many of its periods old. */
      readonly statusAtMostPeriods: number;
      /** A status frame counts as an answer once this many periods have passed since our own frame was seen on the bus. */
      readonly answerAfterPeriods: number;
      /** The same message from another sender: between our frame and its answer it makes the command `contended`. */
      readonly foreign: {
        readonly message: Template;
        readonly channelField: string /** Values of that field that touch every channel. */;
        readonly everyChannel: readonly number[];
      };
    }
  /** Show the output to a person: these values one after the other, then the value reported before the first. */
  | { readonly kind: "blink"; readonly frame: CommandFrame; readonly values: readonly number[]; readonly holdMs: number };

/** The frame of a command. Its echo (the same message, seen on the bus as our own) is "our frame was seen". */
export interface CommandFrame {
  readonly message: Template;
  /** Physical value of each signal. Others take the database's start value, else 0. */
  readonly fields: Readonly<Record<string, FrameField>>;
}

export type FrameField =
  /** The output's channel, counted from `first` for the type's first channel. */
  { readonly kind: "channel"; readonly first: number } | { readonly kind: "value" } | { readonly kind: "constant"; readonly value: number };

export interface Confirmation {
  /** Name of the module's signal, or `{output}`. */
  readonly signal: string;
  /** Greatest difference from the commanded value that still confirms it, in the signal's unit. */
  readonly tolerance: number;
}

export type HealthRule =
  | {
      readonly kind: "bits";
      readonly signal: string;
      readonly bits: readonly { readonly bit: number; readonly code: string; readonly health: "degraded" | "faulted"; readonly title: string }[];
    }
  | { readonly kind: "equals"; readonly signal: string; readonly value: number; readonly code: string; readonly health: "degraded" | "faulted"; readonly title: string };
