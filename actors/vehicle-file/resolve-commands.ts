// Commands: what may be sent at all (vehicle X1). Each line is expanded to targets: this command, on this output of this module, as this frame.

import { findMessage, findSignal } from "../../protocols/can/index.ts";
import { builtInModuleTypes, type CommandFrame, type CommandMethod, type ModuleCommand, type ModuleUpdate, type Template } from "../module-types/index.ts";
import type { CheckedFile } from "./checked-file.ts";
import type { ModelFile } from "./file-schemas.ts";
import { fill } from "./module-signals.ts";
import { fitsPattern, isPattern } from "./name-pattern.ts";
import { durationMs } from "./quantities.ts";
import { type CheckedBuses, messageNames } from "./resolve-buses.ts";
import type { CheckedConditions } from "./resolve-conditions.ts";
import type { CheckedModules } from "./resolve-modules.ts";
import type { CheckedSignals } from "./resolve-signals.ts";
import type { ModelCommand, ModelModule, ModelOutput, ModelTarget, ModelUpdate, NotActedOn } from "./vehicle-model.ts";

type FileCommand = NonNullable<ModelFile["commands"]>[string];

/** Words of vehicle.md that no module type takes as a frame: they may stand in a file, and other parts of the system act on them. */
const OTHER_WORDS: readonly string[] = [
  "module.commission",
  "module.replace",
  "module.quarantine",
  "module.retire",
  "update.postpone",
  "update.cancel",
  "bus.mute",
  "bus.unmute",
  "vehicle.maintenance.enter",
  "vehicle.maintenance.leave",
  "faults.read",
  "faults.clear",
  "telemetry.recall",
  "trace.record",
];

/** A rollout's word: a frame of the module's type opens its upload port. */
const UPDATE = "update.start";
const UPDATE_DEADLINE_MS = 2_000;

export interface CheckedCommands {
  readonly commands: readonly ModelCommand[];
  readonly updates: readonly ModelUpdate[];
  readonly notActedOn: readonly NotActedOn[];
}

export function resolveCommands(
  file: CheckedFile,
  data: Partial<ModelFile>,
  buses: CheckedBuses,
  modules: CheckedModules,
  signals: CheckedSignals,
  conditions: CheckedConditions,
): CheckedCommands {
  const commands: ModelCommand[] = [];
  const updates = new Map<string, ModelUpdate>();
  const notActedOn: NotActedOn[] = [];
  const frameWords = new Set([...builtInModuleTypes.values()].flatMap((type) => Object.keys(type.commands)));
  for (const [name, written] of Object.entries(data.commands ?? {})) {
    const path = ["commands", name];
    const as = written.as ?? name;
    const guard = written.guard === undefined ? undefined : conditions.use([...path, "guard"], written.guard);
    if (as === UPDATE) {
      const found = updatable(file, path, written, { buses, modules, signals });
      // A guard that was complained about must not become "no guard".
      if (written.guard !== undefined && guard === undefined) continue;
      for (const update of found.updates) {
        if (updates.has(update.module)) file.complain([...path, "to"], { message: `another line lets "${update.module}" be updated already`, expected: "one line for a module" });
        else updates.set(update.module, { ...update, guard });
      }
      notActedOn.push(...found.notActedOn);
      continue;
    }
    if (OTHER_WORDS.includes(as)) {
      for (const { text, at } of patternsOf(written, path)) checkPatternNames(file, at, text, modules);
      notActedOn.push({ path: path.join("."), note: `${as} is not acted on yet` });
      continue;
    }
    if (!frameWords.has(as)) {
      const isName = written.as === undefined;
      file.complain(
        isName ? path : [...path, "as"],
        {
          message: `no module takes the command "${as}"`,
          expected: isName ? "a known command, or as: one" : "a known command",
          suggestion: file.suggest(as, [...frameWords, UPDATE, ...OTHER_WORDS]),
        },
        { key: isName },
      );
      continue;
    }
    const expanded = expand(file, path, as, written, { buses, modules, signals });
    const deadlineMs = written.deadline === undefined ? undefined : durationMs(written.deadline);
    const ttlMs = written.ttl === undefined ? undefined : durationMs(written.ttl);
    const first = expanded[0];
    if (first === undefined) continue;
    const { defaults } = first.command;
    const command: ModelCommand = {
      name,
      as,
      guard,
      deadlineMs: deadlineMs ?? defaults.deadlineMs,
      ttlMs: ttlMs ?? Math.max(defaults.ttlMs, deadlineMs ?? 0),
      whenAway: written.when_away ?? defaults.whenAway,
      targets: expanded.map((entry) => entry.target),
    };
    // Who asks to be shown an output looks at it now.
    if (command.whenAway === "wait" && first.target.value.kind === "none")
      file.complain([...path, "when_away"], { message: `${as} cannot wait: it wants nothing that could still be reached later`, expected: "refuse" });
    if (ttlMs !== undefined && command.deadlineMs > ttlMs) file.complain([...path, "ttl"], { message: "it ends before the deadline does", expected: "at least the deadline" });
    // A guard that was complained about must not become "no guard".
    if (written.guard === undefined || guard !== undefined) commands.push(command);
  }
  return { commands, updates: [...updates.values()], notActedOn };
}

interface Known {
  readonly buses: CheckedBuses;
  readonly modules: CheckedModules;
  readonly signals: CheckedSignals;
}

interface Expanded {
  readonly command: ModuleCommand;
  readonly target: ModelTarget;
}

function patternsOf(written: FileCommand, path: readonly string[]): readonly { readonly text: string; readonly at: readonly string[] }[] {
  if (typeof written.to === "string") return [{ text: written.to, at: [...path, "to"] }];
  return written.to.map((text, index) => ({ text, at: [...path, "to", String(index)] }));
}

/** Does the pattern name modules and outputs that exist? Complains where it does not. */
function checkPatternNames(
  file: CheckedFile,
  at: readonly string[],
  text: string,
  modules: CheckedModules,
): readonly { readonly module: string; readonly output: string | undefined }[] {
  const dot = text.indexOf(".");
  const modulePattern = dot === -1 ? text : text.slice(0, dot);
  const outputPattern = dot === -1 ? undefined : text.slice(dot + 1);
  const matched = isPattern(modulePattern) ? [...modules.keys()].filter((name) => fitsPattern(name, modulePattern)) : modules.has(modulePattern) ? [modulePattern] : [];
  if (matched.length === 0) {
    file.complain(
      at,
      {
        message: isPattern(modulePattern) ? `no module fits "${modulePattern}"` : `there is no module "${modulePattern}"`,
        expected: "a module, MODULE.OUTPUT, or a pattern with *",
        suggestion: file.suggest(modulePattern, modules.keys()),
      },
      { within: 0 },
    );
  }
  return matched.map((module) => ({ module, output: outputPattern }));
}

/** Modules that it names and that take firmware; of the others it is said why nothing is sent to them, since whoever names all of them means those that do. */
function updatable(
  file: CheckedFile,
  path: readonly string[],
  written: FileCommand,
  { buses, modules }: Known,
): { readonly updates: readonly Omit<ModelUpdate, "guard">[]; readonly notActedOn: readonly NotActedOn[] } {
  const deadlineMs = (written.deadline === undefined ? undefined : durationMs(written.deadline)) ?? UPDATE_DEADLINE_MS;
  const updates = new Map<string, Omit<ModelUpdate, "guard">>();
  const notActedOn: NotActedOn[] = [];
  for (const { text, at } of patternsOf(written, path)) {
    for (const { module: name, output } of checkPatternNames(file, at, text, modules)) {
      if (output !== undefined) {
        file.complain(at, { message: `${UPDATE} is meant for "${name}" as a whole, not for an output`, expected: "modules" });
        break;
      }
      const module = modules.get(name);
      if (module?.model === undefined) continue;
      const { bus } = module.model;
      const how = module.type?.update;
      const reason = how === undefined ? `a ${module.type?.name ?? "module without a type"} takes no firmware from its vehicle` : whyNotUpdated(module.model, how, buses);
      if (how !== undefined && reason === undefined) updates.set(name, { module: name, bus, deadlineMs, how });
      else if (!isPattern(text)) notActedOn.push({ path: at.join("."), note: `"${name}" is not updated: ${reason ?? ""}` });
    }
  }
  if (written.ttl !== undefined || written.when_away !== undefined)
    notActedOn.push({ path: path.join("."), note: `ttl and when_away of ${UPDATE} are not acted on: how long an update waits for its vehicle is the rollout's to say` });
  return { updates: [...updates.values()], notActedOn };
}

function whyNotUpdated({ name, bus: busName }: ModelModule, { trigger, report }: ModuleUpdate, buses: CheckedBuses): string | undefined {
  const bus = buses.get(busName)?.model;
  if (bus?.mode !== "normal") return `the bus ${busName} of "${name}" is listen-only`;
  for (const [message, signals] of [
    [trigger.message, trigger.part],
    [report.message, [...report.part, ...report.version]],
  ] as const) {
    const known = findMessage(bus.database, message);
    if (known === undefined) return `the database of ${busName} has no message "${message}"`;
    const missing = signals.find((signal) => findSignal(known, signal) === undefined);
    if (missing !== undefined) return `the message ${message} has no signal "${missing}"`;
  }
  return undefined;
}

function expand(file: CheckedFile, path: readonly string[], as: string, written: FileCommand, known: Known): readonly Expanded[] {
  const { buses, modules } = known;
  const found = new Map<string, Expanded>();
  for (const { text, at } of patternsOf(written, path)) {
    const places = checkPatternNames(file, at, text, modules);
    const isOpen = isPattern(text);
    const reasons: string[] = [];
    let count = 0;
    // A module that is of no use was complained about; a pattern is not blamed for it.
    let isExcused = places.length === 0;
    for (const { module: name, output: outputPattern } of places) {
      const module = modules.get(name);
      if (module?.model === undefined) {
        isExcused = true;
        continue;
      }
      const refusal = whyNot(module.model, module.type?.commands, as, buses);
      const command = module.type?.commands[as];
      if (refusal !== undefined || command === undefined) {
        reasons.push(refusal ?? "");
        continue;
      }
      if (command.scope === "module" && outputPattern !== undefined) {
        reasons.push(`${as} is meant for "${name}" as a whole, not for an output`);
        continue;
      }
      const outputs = command.scope === "module" ? [undefined] : module.model.outputs.filter((output) => outputPattern === undefined || fitsPattern(output.name, outputPattern));
      if (outputs.length === 0 && outputPattern !== undefined) {
        const names = module.model.outputs.map((output) => output.name);
        if (!isOpen) {
          file.complain(
            at,
            {
              message: `the module "${name}" has no output "${outputPattern}"`,
              expected: names.length === 0 ? "outputs: of this module" : `one of ${names.join(", ")}`,
              suggestion: file.suggest(outputPattern, names),
            },
            { within: name.length + 1 },
          );
          isExcused = true;
        }
        continue;
      }
      for (const output of outputs) {
        const target = makeTarget(file, at, module.model, module.type?.outputs?.from ?? 1, output, command, known);
        if (target === undefined) isExcused = true;
        else found.set(`${name}.${output?.name ?? ""}`, { command, target });
        count++;
      }
    }
    if (count === 0 && !isExcused)
      file.complain(at, { message: reasons[0] ?? `nothing fits "${text}"`, expected: `modules that take ${as}, on a bus with mode: normal` }, { within: 0 });
  }
  return [...found.values()];
}

function whyNot(module: ModelModule, commands: Readonly<Record<string, ModuleCommand>> | undefined, as: string, buses: CheckedBuses): string | undefined {
  if (commands === undefined || !Object.hasOwn(commands, as)) return `the module "${module.name}" (${module.type ?? "without a type"}) does not take ${as}`;
  if (buses.get(module.bus)?.model?.mode !== "normal") return `the bus ${module.bus} of "${module.name}" is listen-only`;
  return undefined;
}

function makeTarget(
  file: CheckedFile,
  at: readonly string[],
  module: ModelModule,
  firstChannel: number,
  output: ModelOutput | undefined,
  command: ModuleCommand,
  known: Known,
): ModelTarget | undefined {
  const database = known.buses.get(module.bus)?.model?.database;
  if (database === undefined) return undefined;
  const filled = (template: Template): string => fill(template, module.address, output?.channel);
  const frame: CommandFrame = { message: filled(command.method.frame.message), fields: command.method.frame.fields };
  const message = findMessage(database, frame.message);
  if (message === undefined) {
    file.complain(at, {
      message: `the database of ${module.bus} has no message "${frame.message}", as which this command would leave`,
      suggestion: file.suggest(frame.message, messageNames(database)),
    });
    return undefined;
  }
  const missing = Object.keys(frame.fields).find((name) => !message.signals.some((signal) => signal.name === name));
  if (missing !== undefined) {
    file.complain(at, { message: `the message ${frame.message} has no signal "${missing}", which this command sets` });
    return undefined;
  }
  const own = (name: string): string => (name === "{output}" ? (output?.signal ?? module.name) : `${module.name}.${name}`);
  const method: CommandMethod =
    command.method.kind === "toggle"
      ? { ...command.method, frame, foreign: { ...command.method.foreign, message: filled(command.method.foreign.message) } }
      : { ...command.method, frame };
  const confirm = command.confirm === undefined ? undefined : { ...command.confirm, signal: own(command.confirm.signal) };
  const shown = confirm === undefined ? undefined : known.signals.get(confirm.signal)?.terms[0]?.source.message;
  if (confirm !== undefined && shown === undefined) {
    file.complain(at, { message: `the database of ${module.bus} has no signal that could confirm this command on "${module.name}"` });
    return undefined;
  }
  return {
    module: module.name,
    output,
    bus: module.bus,
    value: command.value,
    method,
    frame,
    firstChannel,
    effect: command.effect,
    repeat: command.repeat,
    reads: command.reads.map(own),
    confirm,
    status: module.sends.find((sent) => sent.message === shown),
  };
}
