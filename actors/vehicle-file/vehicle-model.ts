// What a checked vehicle is: everything that decoder, signal table, allow-list, actors and uplink need, with every name resolved. Frozen data.
//
// Whoever starts a vehicle reads this and never the YAML. Times are ms, rates per second, sizes bytes; names are those of the file.

import type { Database, OverlayEntry, VehicleSignal } from "../../protocols/can/index.ts";
import type { CommandFrame, CommandMethod, CommandValue, Confirmation, HealthRule, ModuleUpdate } from "../module-types/index.ts";
import type { Condition } from "./condition.ts";

export interface VehicleModel {
  readonly model: string;
  readonly version: number;
  /** sha256 over everything below and the databases' content; equal hashes decode, guard and send alike (vehicle D6). Hex. */
  readonly hash: string;
  /** Address of the vehicle; undefined when a model was checked by itself. */
  readonly vehicle: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly parts: Readonly<Record<string, string>>;
  readonly buses: readonly ModelBus[];
  readonly modules: readonly ModelModule[];
  /** The vehicle's own signals first, then those of its modules (`<module>.<name>`). */
  readonly signals: readonly ModelSignal[];
  /** Named conditions and guards written out in a command, each after those it refers to. */
  readonly conditions: readonly ModelCondition[];
  readonly commands: readonly ModelCommand[];
  readonly updates: readonly ModelUpdate[];
  readonly watches: readonly ModelWatch[];
  readonly telemetry: ModelTelemetry;
  /** Sections that are valid and that this version does not act on yet. */
  readonly notActedOn: readonly NotActedOn[];
}

export interface ModelBus {
  readonly name: string;
  readonly dbcFile: string;
  /** With its overlay laid over it: what decoders, encoders and the signal table take. */
  readonly database: Database;
  /** What was laid over it; of several entries for one signal the later file's. */
  readonly overlay: readonly OverlayEntry[];
  readonly match: "exact" | "j1939";
  /** One, or those to try in this order; empty: as the interface is set. */
  readonly bitratesBps: readonly number[];
  /** `listen-only` unless the file opens it (vehicle X1). */
  readonly mode: "listen-only" | "normal";
  readonly maxTxPerSecond: number;
}

export interface ModelModule {
  /** Its place, and the last segment of its actor's address. */
  readonly name: string;
  /** `family/product`; undefined for a module that is only watched for presence. */
  readonly type: string | undefined;
  readonly bus: string;
  readonly address: number | undefined;
  /** What its firmware is built for; undefined: the file does not name it. */
  readonly hardware: string | undefined;
  /** J1939 source address. */
  readonly sourceAddress: number | undefined;
  readonly presence: ModelPresence;
  /** Everything it is known to send, with the period that counts for it. */
  readonly sends: readonly ModelMessage[];
  readonly outputs: readonly ModelOutput[];
  /** Names in the signal table of which a change wakes its actor: outputs, faults, set points. */
  readonly wakesOn: readonly string[];
  /** Rules of its type; `signal` is the full name in the signal table. */
  readonly health: readonly HealthRule[];
}

export interface ModelPresence {
  /** A frame of any of these proves it; empty together with `sourceAddress`: any frame of that sender. */
  readonly messages: readonly string[];
  /** max(3 periods, 1 s) of the fastest of them, or as the file says; undefined: no period is known, it is learnt on the bus. */
  readonly silentAfterMs: number | undefined;
}

export type PeriodSource = "file" | "database" | "attribute" | "module-type" | "learnt";

export interface ModelMessage {
  readonly message: string;
  /** undefined: an event message, or learnt. */
  readonly periodMs: number | undefined;
  readonly periodSource: PeriodSource;
}

export interface ModelOutput {
  readonly channel: number;
  /** As the file names it; the channel number where it does not. */
  readonly name: string;
  /** Its name in the signal table: `<module>.<name>`. */
  readonly signal: string;
  readonly value: CommandValue;
}

/** A signal of the vehicle's table, and whose it is. */
export interface ModelSignal extends VehicleSignal {
  readonly labels: readonly (readonly [number, string])[];
  /** `vehicle`: named in `signals:`; `module`: derived from a module's type. */
  readonly origin: "vehicle" | "module";
}

export interface ModelCondition {
  readonly name: string;
  readonly text: string;
  readonly condition: Condition;
}

export interface ModelCommand {
  /** As callers name it, e.g. `awning.set`. */
  readonly name: string;
  /** The command of the module's type that it runs as, e.g. `relay.set`. */
  readonly as: string;
  /** Name in `conditions`. */
  readonly guard: string | undefined;
  readonly deadlineMs: number;
  readonly ttlMs: number;
  readonly whenAway: "refuse" | "wait" | "run-at-owner";
  readonly targets: readonly ModelTarget[];
}

/** One thing that one command may do: this frame, on this bus, with values in this range. The allow-list is the list of these (vehicle X1). */
export interface ModelTarget {
  readonly module: string;
  readonly output: ModelOutput | undefined;
  readonly bus: string;
  readonly value: CommandValue;
  readonly method: CommandMethod;
  /** Its messages are names of the bus's database; `{…}` is filled in. */
  readonly frame: CommandFrame;
  /** First channel of the type: the frame's channel is `output.channel - firstChannel + field.first`. */
  readonly firstChannel: number;
  readonly effect: "once" | "state";
  readonly repeat: "until-confirmed" | "never";
  /** Full names in the signal table that the door copies into the input (vehicle V3). */
  readonly reads: readonly string[];
  /** `signal` is the full name. */
  readonly confirm: Confirmation | undefined;
  /** The status message that confirms it and its period; undefined where it is learnt. */
  readonly status: ModelMessage | undefined;
}

/** A module whose firmware the file lets be updated (`update.start`): nobody else is told to (vehicle X1). */
export interface ModelUpdate {
  readonly module: string;
  readonly bus: string;
  /** Name in `conditions`. */
  readonly guard: string | undefined;
  /** Its trigger is on the bus so soon after it was handed over. */
  readonly deadlineMs: number;
  readonly how: ModuleUpdate;
}

export interface ModelWatch {
  readonly signal: string;
  /** Smallest difference from the last reported value that counts; 0: any change. */
  readonly deadband: number;
  /** Never more often than this. Default 5000 (vehicle V3). */
  readonly atMostMs: number;
  /** Report when it crosses this value, upward or downward. */
  readonly above: number | undefined;
  readonly below: number | undefined;
}

export interface ModelTelemetry {
  readonly budgetBytesPerMonth: number | undefined;
  /** Class B: the latest values, sent when one of them changed, never more often than `atMostMs`. */
  readonly state: { readonly atMostMs: number; readonly signals: readonly string[] } | undefined;
}

export interface NotActedOn {
  readonly path: string;
  readonly note: string;
}
