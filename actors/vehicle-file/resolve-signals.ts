// The vehicle's own signals: names that actors, the API and the cloud see, taken from signals of the buses (vehicle D3: rename, scale, sum, sign flag, bit, enum).

import { type CanMessage, type CanSignal, findMessage, findSignal, isFloat, isReachable, type SignalSource } from "../../protocols/can/index.ts";
import type { CheckedFile } from "./checked-file.ts";
import type { ModelFile } from "./file-schemas.ts";
import { messagePeriod, staleAfterMs } from "./message-periods.ts";
import { durationMs } from "./quantities.ts";
import { ambiguousSignal, type CheckedBuses, messageNames, neverRead, signalNames, unitComplaint } from "./resolve-buses.ts";
import type { CheckedModules } from "./resolve-modules.ts";
import { canonicalUnit } from "./units.ts";
import type { ModelBus, ModelSignal } from "./vehicle-model.ts";

type FileSignal = NonNullable<ModelFile["signals"]>[string];

/** A reference with everything behind it. */
interface Found {
  readonly source: SignalSource;
  readonly bus: ModelBus;
  readonly message: CanMessage;
  readonly signal: CanSignal;
  readonly periodMs: number | undefined;
}

/** By name; undefined where it is declared but of no use, which was complained about. */
export type CheckedSignals = ReadonlyMap<string, ModelSignal | undefined>;

const TERM = /^(?:(?<weight>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*\*\s*)?(?<reference>[a-z][a-z0-9_-]*\.[^.]+\..+)$/u;

export function resolveSignals(file: CheckedFile, data: Partial<ModelFile>, buses: CheckedBuses, modules: CheckedModules): CheckedSignals {
  const signals = new Map<string, ModelSignal | undefined>();
  for (const name of file.keysAt(["signals"])) {
    const written = data.signals?.[name];
    signals.set(name, written === undefined ? undefined : resolveSignal(file, name, written, buses, modules));
  }
  for (const module of modules.values()) {
    for (const signal of module.signals) {
      if (signals.has(signal.name))
        file.complain(["signals", signal.name], { message: `"${signal.name}" is already a signal of the module "${module.name}"`, expected: "another name" }, { key: true });
      else signals.set(signal.name, signal);
    }
  }
  return signals;
}

function resolveSignal(file: CheckedFile, name: string, written: FileSignal, buses: CheckedBuses, modules: CheckedModules): ModelSignal | undefined {
  const path = ["signals", name];
  const keys = file.keysAt(path);
  if (keys.includes("from") === keys.includes("sum")) {
    file.complain(
      path,
      { message: keys.includes("from") ? `"from" and "sum" exclude each other` : "nothing says where it comes from", expected: "from: BUS.MESSAGE.SIGNAL, or sum: [ … ]" },
      { key: true },
    );
    return undefined;
  }
  const terms: { readonly found: Found; readonly weight: number }[] = [];
  let whole = true;
  if (written.from !== undefined) {
    const found = findReference(file, [...path, "from"], written.from, 0, buses, modules);
    if (found === undefined) whole = false;
    else terms.push({ found, weight: 1 });
  }
  for (const [index, text] of (written.sum ?? []).entries()) {
    const match = TERM.exec(text.trim());
    const reference = match?.groups?.["reference"];
    if (reference === undefined)
      file.complain([...path, "sum", String(index)], { message: `"${text.slice(0, 60)}" cannot be added up`, expected: "BUS.MESSAGE.SIGNAL or NUMBER * BUS.MESSAGE.SIGNAL" });
    const found = reference === undefined ? undefined : findReference(file, [...path, "sum", String(index)], reference, text.indexOf(reference), buses, modules);
    if (found === undefined) whole = false;
    else terms.push({ found, weight: match?.groups?.["weight"] === undefined ? 1 : Number(match.groups["weight"]) });
  }
  const flag = (key: "negate_if" | "valid_if"): Found | undefined => {
    const reference = written[key];
    const found = reference === undefined ? undefined : findReference(file, [...path, key], reference, 0, buses, modules);
    if (reference !== undefined && found === undefined) whole = false;
    return found;
  };
  const negateIf = flag("negate_if");
  const validIf = flag("valid_if");
  const first = terms[0]?.found;
  if (first === undefined || !whole) return undefined;
  const all = [...terms.map((term) => term.found), ...[negateIf, validIf].filter((found) => found !== undefined)];
  const stranger = all.find((found) => found.bus.name !== first.bus.name);
  if (stranger !== undefined)
    file.complain(path, { message: `its parts lie on two buses, ${first.bus.name} and ${stranger.bus.name}`, expected: "signals of one bus" }, { key: true });
  checkBit(file, path, written, first);
  checkWords(file, path, written);
  if (written.factor === 0) file.complain([...path, "factor"], { message: "a factor of 0 would make every value the same", expected: "another number" });
  if (written.unit !== undefined && canonicalUnit(written.unit) === undefined) file.complain([...path, "unit"], unitComplaint(written.unit));

  const isPlain = written.from !== undefined && written.bit === undefined && written.factor === undefined && written.offset === undefined;
  const ownUnit = first.signal.unit;
  return {
    name,
    terms: terms.map(({ found, weight }) => ({ source: found.source, weight })),
    factor: written.factor ?? 1,
    offset: written.offset ?? 0,
    negateIf: negateIf?.source,
    validIf: validIf?.source,
    bit: written.bit,
    unit: written.unit === undefined ? (isPlain && ownUnit !== "" ? (canonicalUnit(ownUnit) ?? ownUnit) : undefined) : (canonicalUnit(written.unit) ?? written.unit),
    labels: labelsOf(written, isPlain && negateIf === undefined ? first : undefined),
    staleAfterMs: (written.stale_after === undefined ? undefined : durationMs(written.stale_after)) ?? Math.max(...all.map((found) => staleAfterMs(found.periodMs))),
    origin: "vehicle",
  };
}

function checkBit(file: CheckedFile, path: readonly string[], written: FileSignal, first: Found): void {
  if (written.bit === undefined) return;
  if (written.from === undefined) file.complain([...path, "bit"], { message: "a sum has no bits", expected: "from: BUS.MESSAGE.SIGNAL" });
  else if (isFloat(first.signal)) file.complain([...path, "bit"], { message: `${first.signal.name} is a floating point number`, expected: "no key bit" });
  else if (written.bit >= first.signal.size)
    file.complain([...path, "bit"], {
      message: `${first.signal.name} has ${String(first.signal.size)} bits`,
      expected: `a whole number from 0 to ${String(first.signal.size - 1)}`,
    });
}

/** A word is what conditions compare with: it must say one value. */
function checkWords(file: CheckedFile, path: readonly string[], written: FileSignal): void {
  const valueOf = new Map<string, string>();
  for (const [value, word] of Object.entries(written.enum ?? {})) {
    const other = valueOf.get(word);
    if (other !== undefined) file.complain([...path, "enum", value], { message: `"${word}" is already the word for ${other}`, expected: "a word of its own" });
    else valueOf.set(word, value);
  }
}

/** The file's words; else the database's, moved from raw to physical values. */
function labelsOf(written: FileSignal, plain: Found | undefined): readonly (readonly [number, string])[] {
  if (written.enum !== undefined) return Object.entries(written.enum).map(([value, label]) => [Number(value), label] as const);
  if (plain?.signal.labels === undefined) return [];
  const { factor, offset, labels } = plain.signal;
  return [...labels].flatMap(([raw, label]) => (typeof raw === "number" ? [[raw * factor + offset, label] as const] : []));
}

/** `BUS.MESSAGE.SIGNAL` or `BUS.MODULE.MESSAGE.SIGNAL`; each part that does not exist is blamed at its letter. Only names of signals may hold dots. */
function findReference(file: CheckedFile, path: readonly string[], reference: string, startsAt: number, buses: CheckedBuses, modules: CheckedModules): Found | undefined {
  const [busName = "", second = ""] = reference.split(".", 2);
  const bus = buses.get(busName);
  const module = modules.get(second);
  const atSecond = busName.length + 1;
  const atMessage = module === undefined ? atSecond : atSecond + second.length + 1;
  const miss = (within: number, message: string, name: string, known: Iterable<string>): undefined => {
    file.complain(path, { message, suggestion: file.suggest(name, known) }, { within: startsAt + within });
    return undefined;
  };
  if (bus === undefined) return miss(0, `there is no bus "${busName}"`, busName, buses.keys());
  if (bus.model === undefined || (module !== undefined && module.model === undefined)) return undefined;
  const { database } = bus.model;
  if (module?.model !== undefined && module.model.bus !== busName) return miss(atSecond, `the module "${second}" is on ${module.model.bus}, not on ${busName}`, second, []);
  const rest = reference.slice(atMessage);
  const dot = rest.indexOf(".");
  if (dot === -1) return miss(atMessage, `after the module "${second}" a message and a signal are missing`, "", []);
  const messageName = rest.slice(0, dot);
  const signalName = rest.slice(dot + 1);
  const message = findMessage(database, messageName);
  if (message === undefined) {
    const known = module === undefined ? [...messageNames(database), ...modules.keys()] : messageNames(database);
    return miss(atMessage, `the database of ${busName} has no message "${messageName}"${module === undefined ? ", and there is no such module" : ""}`, messageName, known);
  }
  if (!isReachable(database, message)) file.complain(path, neverRead(messageName), { within: startsAt + atMessage });
  const signal = findSignal(message, signalName);
  if (signal === undefined) return miss(atMessage + dot + 1, `the message ${messageName} has no signal "${signalName}"`, signalName, signalNames(message));
  if (signal.sharesName) file.complain(path, ambiguousSignal(messageName, signalName), { within: startsAt + atMessage + dot + 1 });
  if (signal.needsBytes > message.length) {
    const lies = `its bits end in byte ${String(signal.needsBytes)}, but the database gives ${messageName} ${String(message.length)} bytes`;
    file.warn(path, { message: `${lies}; it is known only while frames are longer` }, { within: startsAt + atMessage + dot + 1 });
  }
  const sourceAddress = module?.model?.sourceAddress;
  const sent = [...modules.values()].flatMap((known) => (known.model?.bus === busName ? known.model.sends : [])).find((known) => known.message === messageName);
  const period = sent ?? messagePeriod(message, bus, { fileMs: undefined, moduleTypeMs: undefined });
  return {
    source: { bus: busName, message: messageName, signal: signalName, ...(sourceAddress === undefined ? {} : { sourceAddress }) },
    bus: bus.model,
    message,
    signal,
    periodMs: period.periodMs,
  };
}
