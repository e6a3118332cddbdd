// Checks the files of a vehicle: texts and a resolver in, a model or all problems out (vehicle D1, D2). No I/O, no clock; never throws, on any text.
//
// The entry is a vehicle's file, which names its model, or a model's file by itself. `drover vehicle check` and the edge node's start call the same function.

import { formatPosition } from "../../protocols/can/index.ts";
import { CheckedFile, ProblemList } from "./checked-file.ts";
import { type FileResolver, type FoundText, modelFileNames, nearestFile } from "./file-resolver.ts";
import { type ModelFile, modelFileSchema, type VehicleFile, vehicleFileSchema } from "./file-schemas.ts";
import { modelHash } from "./model-hash.ts";
import type { Problem } from "../../runtime/index.ts";
import { type CheckedBuses, resolveBuses } from "./resolve-buses.ts";
import { resolveCommands } from "./resolve-commands.ts";
import { type CheckedConditions, resolveConditions } from "./resolve-conditions.ts";
import { type CheckedModules, resolveModules } from "./resolve-modules.ts";
import { type CheckedSignals, resolveSignals } from "./resolve-signals.ts";
import { resolveTelemetry, resolveWatches } from "./resolve-telemetry.ts";
import type { NotActedOn, VehicleModel } from "./vehicle-model.ts";

/** Of one database; whoever mends it reads on with `drover can decode`. */
const MAX_SHOWN_OF_DATABASE = 20;

/** `warnings`: what the databases hold that cannot be read, or is read by guess, and what of the vehicle's files will hardly work; a valid file works without it. */
export type CheckedVehicle =
  | { readonly kind: "valid"; readonly model: VehicleModel; readonly warnings: readonly Problem[] }
  | { readonly kind: "invalid"; readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] };

/** @param entry the vehicle's file or the model's file */
export function checkVehicle(entry: FoundText, resolver: FileResolver): CheckedVehicle {
  const problems = new ProblemList();
  const warnings = new ProblemList();
  const file = new CheckedFile(entry.file, entry.text, problems, warnings);
  const model = file.keysAt([]).includes("vehicle") ? checkVehicleFile(file, resolver, problems, warnings) : checkModelFile(file, undefined, resolver, problems, warnings);
  return problems.isEmpty && model !== undefined ? { kind: "valid", model, warnings: warnings.list() } : { kind: "invalid", problems: problems.list(), warnings: warnings.list() };
}

function checkVehicleFile(file: CheckedFile, resolver: FileResolver, problems: ProblemList, warnings: ProblemList): VehicleModel | undefined {
  const vehicle = file.read(vehicleFileSchema) as Partial<VehicleFile> | undefined;
  if (vehicle?.model === undefined) return undefined;
  const names = modelFileNames(vehicle.model);
  const found = firstFound(names, file.file, resolver);
  if (found === undefined) {
    file.complain(["model"], {
      message: `there is no file ${names.map((name) => `"${name}"`).join(" or ")}`,
      expected: "the model's file beside this one",
      suggestion: nearestFile(names.at(-1) ?? "", file, resolver),
    });
    return undefined;
  }
  const modelFile = new CheckedFile(found.file, found.text, problems, warnings);
  return checkModelFile(modelFile, { file, data: vehicle }, resolver, problems, warnings);
}

function firstFound(names: readonly string[], from: string, resolver: FileResolver): FoundText | undefined {
  for (const name of names) {
    const found = resolver.text(name, from);
    if (found !== undefined) return found;
  }
  return undefined;
}

interface OneVehicle {
  readonly file: CheckedFile;
  readonly data: Partial<VehicleFile>;
}

function checkModelFile(file: CheckedFile, one: OneVehicle | undefined, resolver: FileResolver, problems: ProblemList, warnings: ProblemList): VehicleModel | undefined {
  const data = file.read(modelFileSchema) as Partial<ModelFile> | undefined;
  if (data === undefined) return undefined;
  const buses = resolveBuses(file, data, resolver, problems);
  const modules = resolveModules(file, data, buses);
  const signals = resolveSignals(file, data, buses, modules);
  const conditions = resolveConditions(file, data, buses, modules, signals);
  const { commands, updates, notActedOn } = resolveCommands(file, data, buses, modules, signals, conditions);
  const watches = resolveWatches(file, data, signals);
  const telemetry = resolveTelemetry(file, data, signals);
  const later = [...checkPower(data, conditions), ...checkClock(file, data, buses), ...checkBudget(data), ...notActedOn];
  if (one !== undefined) later.push(...checkOneVehicle(one, data, modules));
  const isValid = problems.isEmpty && data.model !== undefined && data.version !== undefined;
  warnOfDatabases(buses, isValid ? messagesUsed(modules, signals, { commands, updates }) : undefined, warnings);
  if (!problems.isEmpty || data.model === undefined || data.version === undefined) return undefined;

  const derived = {
    model: data.model,
    version: data.version,
    buses: [...buses.values()].map((bus) => bus.model).filter((bus) => bus !== undefined),
    modules: [...modules.values()].map((module) => module.model).filter((module) => module !== undefined),
    signals: [...signals.values()].filter((signal) => signal !== undefined),
    conditions: conditions.list(),
    commands,
    updates,
    watches,
    telemetry,
    notActedOn: later,
  };
  return freeze({ ...derived, hash: modelHash(derived), vehicle: one?.data.vehicle, labels: { ...one?.data.labels }, parts: { ...one?.data.parts } });
}

/** `bus message` of everything that signals, modules and commands take from the buses or send. */
function messagesUsed(modules: CheckedModules, signals: CheckedSignals, { commands, updates }: Pick<VehicleModel, "commands" | "updates">): ReadonlySet<string> {
  const used = new Set<string>();
  for (const signal of signals.values())
    for (const source of [...(signal?.terms ?? []).map((term) => term.source), signal?.negateIf, signal?.validIf])
      if (source !== undefined) used.add(`${source.bus} ${source.message}`);
  for (const { model } of modules.values())
    for (const name of [...(model?.sends ?? []).map((sent) => sent.message), ...(model?.presence.messages ?? [])]) used.add(`${model?.bus ?? ""} ${name}`);
  for (const { targets } of commands)
    for (const { bus, frame, method } of targets) for (const name of [frame.message, method.kind === "toggle" ? method.foreign.message : ""]) used.add(`${bus} ${name}`);
  for (const { bus, how } of updates) for (const { message } of [how.trigger, how.report]) used.add(`${bus} ${message}`);
  return used;
}

/** What the databases hold that is left out or read by guess, where it concerns what the vehicle uses (undefined: anything); once, though several buses have it. */
function warnOfDatabases(buses: CheckedBuses, used: ReadonlySet<string> | undefined, warnings: ProblemList): void {
  const said = new Set<string>();
  for (const { name, model } of buses.values()) {
    if (model === undefined) continue;
    const { diagnostics, messages } = model.database;
    const nameAt = new Map(messages.map((message) => [formatPosition(message.position), message.name] as const));
    const errors = diagnostics.filter(
      ({ severity, about }) => severity === "error" && (about === undefined || used?.has(`${name} ${nameAt.get(formatPosition(about)) ?? ""}`) !== false),
    );
    const fresh = errors.filter(({ position }) => !said.has(formatPosition(position)));
    for (const [at, { position, message }] of fresh.slice(0, MAX_SHOWN_OF_DATABASE + 1).entries()) {
      const text = at < MAX_SHOWN_OF_DATABASE ? message : `${String(fresh.length - MAX_SHOWN_OF_DATABASE)} further errors of this database are not shown`;
      warnings.add({ file: model.dbcFile, line: position.line, column: position.column, path: "", message: text });
    }
    for (const { position } of fresh) said.add(formatPosition(position));
  }
}

function checkOneVehicle(one: OneVehicle, data: Partial<ModelFile>, modules: CheckedModules): readonly NotActedOn[] {
  const [name = "", version] = (one.data.model ?? "").split("@");
  if (data.model !== undefined && data.model !== name)
    one.file.complain(["model"], { message: `the file found for it describes the model "${data.model}"`, expected: `the model "${name}"` });
  else if (version !== undefined && data.version !== undefined && data.version !== Number(version)) {
    one.file.complain(["model"], {
      message: `the file found for it has version ${String(data.version)}`,
      expected: `version ${version}`,
      suggestion: `${name}@${String(data.version)}`,
    });
  }
  for (const place of Object.keys(one.data.parts ?? {})) {
    if (!modules.has(place))
      one.file.complain(["parts", place], { message: `the model has no module "${place}"`, suggestion: one.file.suggest(place, modules.keys()) }, { key: true });
  }
  const places = Object.entries(one.data.parts ?? {});
  for (const [index, [place, part]] of places.entries()) {
    const first = places.findIndex(([, other]) => other.toLowerCase() === part.toLowerCase());
    if (first < index)
      one.file.complain(["parts", place], { message: `${part} is in ${places[first]?.[0] ?? ""} already`, expected: "a part of its own: a module is in one place" });
  }
  return one.data.parts === undefined ? [] : [{ path: "parts", note: "known parts are not compared with what the bus reports yet" }];
}

function checkPower(data: Partial<ModelFile>, conditions: CheckedConditions): readonly NotActedOn[] {
  for (const [state, text] of Object.entries<string | undefined>(data.power ?? {})) if (text !== undefined) conditions.check(["power", state], text);
  return data.power === undefined ? [] : [{ path: "power", note: "states of the supply are not acted on yet" }];
}

function checkClock(file: CheckedFile, data: Partial<ModelFile>, buses: ReturnType<typeof resolveBuses>): readonly NotActedOn[] {
  for (const [index, source] of (data.clock ?? []).entries()) {
    const [busName = "", messageName] = source.split(".");
    if (messageName === undefined) continue;
    const path = ["clock", String(index)];
    const bus = buses.get(busName);
    if (bus === undefined) file.complain(path, { message: `there is no bus "${busName}"`, suggestion: file.suggest(busName, buses.keys()) });
    else if (bus.model !== undefined && !bus.model.database.messages.some((message) => message.name === messageName)) {
      const names = bus.model.database.messages.map((message) => message.name);
      file.complain(path, { message: `the database of ${busName} has no message "${messageName}"`, suggestion: file.suggest(messageName, names) }, { within: busName.length + 1 });
    }
  }
  return data.clock === undefined ? [] : [{ path: "clock", note: "sources of time are not acted on yet; the system's clock counts" }];
}

function checkBudget(data: Partial<ModelFile>): readonly NotActedOn[] {
  return data.telemetry?.budget === undefined ? [] : [{ path: "telemetry.budget", note: "the budget is not acted on yet; nothing is dropped for it" }];
}

/** Deeply, except for databases: those are the reader's own readonly data. */
function freeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const [key, member] of Object.entries(value)) if (key !== "database") freeze(member);
  return Object.freeze(value);
}
