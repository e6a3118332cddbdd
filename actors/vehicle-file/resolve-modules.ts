// Modules: each on a bus, of a type, at a place of its own; what it sends with which period, its outputs, and the signals that its type derives.

import { type CanMessage, findMessage, isReachable, silentAfterMs } from "../../protocols/can/index.ts";
import { builtInModuleTypes, type HealthRule, type ModuleType } from "../module-types/index.ts";
import type { CheckedFile } from "./checked-file.ts";
import type { ModelFile } from "./file-schemas.ts";
import { messagePeriod } from "./message-periods.ts";
import { derivedSignals, fill, resolveOutputs } from "./module-signals.ts";
import { durationMs } from "./quantities.ts";
import { type CheckedBus, type CheckedBuses, messageNames, neverRead } from "./resolve-buses.ts";
import type { ModelMessage, ModelModule, ModelSignal } from "./vehicle-model.ts";

type FileModule = NonNullable<ModelFile["modules"]>[string];

/** A module under check; `model` is undefined where it cannot be used and that was complained about. */
export interface CheckedModule {
  readonly name: string;
  readonly type: ModuleType | undefined;
  readonly model: ModelModule | undefined;
  /** Derived by its type. */
  readonly signals: readonly ModelSignal[];
}

export type CheckedModules = ReadonlyMap<string, CheckedModule>;

export function resolveModules(file: CheckedFile, data: Partial<ModelFile>, buses: CheckedBuses): CheckedModules {
  const modules = new Map<string, CheckedModule>();
  const places = new Map<string, string>();
  for (const name of file.keysAt(["modules"])) {
    const written = data.modules?.[name];
    const path = ["modules", name];
    if (buses.has(name)) file.complain(path, { message: `"${name}" is already the name of a bus`, expected: "another name" }, { key: true });
    modules.set(name, written === undefined ? { name, type: undefined, model: undefined, signals: [] } : resolveModule(file, path, name, written, buses, places));
  }
  return modules;
}

function resolveModule(file: CheckedFile, path: readonly string[], name: string, written: FileModule, buses: CheckedBuses, places: Map<string, string>): CheckedModule {
  const type = written.use === undefined ? undefined : builtInModuleTypes.get(written.use);
  if (written.use !== undefined && type === undefined) {
    file.complain([...path, "use"], {
      message: `there is no module type "${written.use}"`,
      expected: "a known module type",
      suggestion: file.suggest(written.use, builtInModuleTypes.keys()),
    });
  }
  const bus = buses.get(written.bus);
  if (bus === undefined) {
    file.complain([...path, "bus"], {
      message: `there is no bus "${written.bus}"`,
      ...(buses.size === 0 ? {} : { expected: `one of ${[...buses.keys()].join(", ")}` }),
      suggestion: file.suggest(written.bus, buses.keys()),
    });
  }
  const unusable = { name, type, model: undefined, signals: [] };
  if (bus?.model === undefined || (written.use !== undefined && type === undefined)) return unusable;
  if (!checkPlace(file, path, name, written, type, bus, places)) return unusable;

  const address = written.address;
  const sends: ModelMessage[] = [];
  const presence: ModelMessage[] = [];
  for (const sent of type?.sends ?? []) {
    const messageName = fill(sent.message, address);
    const message = findMessage(bus.model.database, messageName);
    if (message === undefined) {
      if (sent.presence)
        file.complain([...path, "use"], {
          message: `the database of ${bus.name} has no message "${messageName}", which proves that a ${type?.name ?? ""} is there`,
          suggestion: file.suggest(messageName, messageNames(bus.model.database)),
        });
      continue;
    }
    const period = messagePeriod(message, bus, { fileMs: filePeriod(written, messageName), moduleTypeMs: sent.periodMs });
    sends.push(period);
    if (sent.presence) presence.push(period);
  }
  sends.push(...checkWrittenPeriods(file, path, written, bus, sends));
  const shown = checkWrittenPresence(file, path, written, bus, sends);
  const proofs = shown === undefined ? presence : [shown];
  if (shown !== undefined && !sends.some((known) => known.message === shown.message)) sends.push(shown);
  if (type === undefined && shown === undefined && written.sa === undefined && written.presence?.message === undefined) {
    file.complain(path, { message: "nothing says how this module is known to be there", expected: "use: TYPE, or presence: { message: … }" }, { key: true });
  }
  const fileSilence = written.presence?.silent_after === undefined ? undefined : durationMs(written.presence.silent_after);
  const periods = proofs.map((proof) => proof.periodMs).filter((periodMs) => periodMs !== undefined);
  const outputs = resolveOutputs(file, path, name, written, type);
  const signals = type === undefined ? [] : derivedSignals(name, type, bus, address, written.sa, outputs, sends);
  const model: ModelModule = {
    name,
    type: type?.name,
    bus: bus.name,
    address,
    hardware: written.hardware,
    sourceAddress: written.sa,
    presence: { messages: proofs.map((proof) => proof.message), silentAfterMs: fileSilence ?? (periods.length === 0 ? undefined : silentAfterMs(Math.min(...periods))) },
    sends,
    outputs,
    wakesOn: [...outputs.map((output) => output.signal), ...(type?.signals ?? []).filter((signal) => signal.wakes).map((signal) => `${name}.${signal.name}`)],
    health: (type?.health ?? []).map((rule): HealthRule => ({ ...rule, signal: `${name}.${rule.signal}` })),
  };
  return { name, type, model, signals };
}

/** Is the place of its own, and is it told as the type tells places apart? */
function checkPlace(
  file: CheckedFile,
  path: readonly string[],
  name: string,
  written: FileModule,
  type: ModuleType | undefined,
  bus: CheckedBus,
  places: Map<string, string>,
): boolean {
  const kind = type?.place.kind ?? (written.sa === undefined ? "free" : "j1939");
  if (kind !== "numbered" && written.address !== undefined) return refuse([...path, "address"], `a ${type?.name ?? "module without a type"} has no address`, "no key address");
  if (kind !== "j1939" && written.sa !== undefined) return refuse([...path, "sa"], `a ${type?.name ?? "module"} has no J1939 source address`, "no key sa");
  if (type?.place.kind === "numbered") {
    const { from, to } = type.place;
    if (written.address === undefined)
      return refuse(path, `the key "address" is missing: a vehicle may have several ${type.name}`, `a whole number from ${String(from)} to ${String(to)}`, true);
    if (written.address < from || written.address > to)
      return refuse([...path, "address"], `${String(written.address)} is out of range`, `a whole number from ${String(from)} to ${String(to)}`);
  }
  if (kind === "j1939") {
    if (written.sa === undefined) return refuse(path, `the key "sa" is missing: a ${type?.name ?? ""} is known by its source address`, "a whole number from 0 to 253", true);
    if (bus.model?.match !== "j1939") return refuse([...path, "sa"], `the bus ${bus.name} is not matched by J1939`, `match: j1939 at buses.${bus.name}`);
  }
  if (kind === "free") return true;
  const place = kind === "j1939" ? `${bus.name} sa ${String(written.sa)}` : `${bus.name} ${type?.name ?? ""} ${String(written.address ?? "")}`;
  const holder = places.get(place);
  if (holder !== undefined)
    return refuse(
      path,
      `it is at the same place as "${holder}"`,
      kind === "numbered" ? "another address" : kind === "j1939" ? "another source address" : `at most one ${type?.name ?? ""} on a bus`,
      true,
    );
  places.set(place, name);
  return true;

  function refuse(at: readonly string[], message: string, expected: string, key = false): false {
    file.complain(at, { message, expected }, { key });
    return false;
  }
}

function filePeriod(written: FileModule, message: string): number | undefined {
  const text = written.periods !== undefined && Object.hasOwn(written.periods, message) ? written.periods[message] : undefined;
  return text === undefined ? undefined : durationMs(text);
}

function checkWrittenPeriods(file: CheckedFile, path: readonly string[], written: FileModule, bus: CheckedBus, known: readonly ModelMessage[]): readonly ModelMessage[] {
  const more: ModelMessage[] = [];
  for (const [name, text] of Object.entries(written.periods ?? {})) {
    const message = knownMessage(file, [...path, "periods", name], name, bus, true);
    if (message === undefined || known.some((sent) => sent.message === name)) continue;
    more.push(messagePeriod(message, bus, { fileMs: durationMs(text), moduleTypeMs: undefined }));
  }
  return more;
}

function checkWrittenPresence(file: CheckedFile, path: readonly string[], written: FileModule, bus: CheckedBus, sends: readonly ModelMessage[]): ModelMessage | undefined {
  const name = written.presence?.message;
  if (name === undefined) return undefined;
  const message = knownMessage(file, [...path, "presence", "message"], name, bus, false);
  if (message === undefined) return undefined;
  return sends.find((sent) => sent.message === name) ?? messagePeriod(message, bus, { fileMs: filePeriod(written, name), moduleTypeMs: undefined });
}

function knownMessage(file: CheckedFile, path: readonly string[], name: string, bus: CheckedBus, key: boolean): CanMessage | undefined {
  const database = bus.model?.database;
  const message = database === undefined ? undefined : findMessage(database, name);
  if (database !== undefined && message === undefined)
    file.complain(path, { message: `the database of ${bus.name} has no message "${name}"`, suggestion: file.suggest(name, messageNames(database)) }, { key });
  if (database !== undefined && message !== undefined && !isReachable(database, message)) file.complain(path, neverRead(name), { key });
  return message;
}
