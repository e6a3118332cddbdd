// Outputs of a module and the signals that its type derives from the bus: values that carry the module's name in the signal table.

import { findMessage, findSignal } from "../../protocols/can/index.ts";
import type { ModuleType } from "../module-types/index.ts";
import type { CheckedFile } from "./checked-file.ts";
import type { ModelFile } from "./file-schemas.ts";
import { staleAfterMs } from "./message-periods.ts";
import type { CheckedBus } from "./resolve-buses.ts";
import type { ModelMessage, ModelOutput, ModelSignal } from "./vehicle-model.ts";

/** The outputs that the file names; all of the type's, named by their number, where it names none. */
export function resolveOutputs(
  file: CheckedFile,
  path: readonly string[],
  module: string,
  written: NonNullable<ModelFile["modules"]>[string],
  type: ModuleType | undefined,
): readonly ModelOutput[] {
  const kinds = type?.outputs;
  if (kinds === undefined) {
    if (written.outputs !== undefined)
      file.complain([...path, "outputs"], { message: `a ${type?.name ?? "module without a type"} has no outputs`, expected: "no key outputs" }, { key: true });
    return [];
  }
  const outputs: ModelOutput[] = [];
  if (written.outputs === undefined) {
    for (let channel = kinds.from; channel <= kinds.to; channel++) outputs.push({ channel, name: String(channel), signal: `${module}.${String(channel)}`, value: kinds.value });
    return outputs;
  }
  for (const [key, name] of Object.entries(written.outputs)) {
    const channel = Number(key);
    if (channel < kinds.from || channel > kinds.to || String(channel) !== key) {
      file.complain(
        [...path, "outputs", key],
        { message: `a ${type?.name ?? ""} has no channel ${key}`, expected: `a channel from ${String(kinds.from)} to ${String(kinds.to)}` },
        { key: true },
      );
    } else if (outputs.some((output) => output.name === name)) {
      file.complain([...path, "outputs", key], { message: `another output of this module is called "${name}"`, expected: "another name" });
    } else if (type?.signals.some((signal) => signal.name === name) === true) {
      file.complain([...path, "outputs", key], { message: `"${name}" is the name of a value of this module`, expected: "another name" });
    } else outputs.push({ channel, name, signal: `${module}.${name}`, value: kinds.value });
  }
  return outputs.toSorted((a, b) => a.channel - b.channel);
}

export function derivedSignals(
  module: string,
  type: ModuleType,
  bus: CheckedBus,
  address: number | undefined,
  sourceAddress: number | undefined,
  outputs: readonly ModelOutput[],
  sends: readonly ModelMessage[],
): readonly ModelSignal[] {
  const signals: ModelSignal[] = [];
  const add = (name: string, messageName: string, signalName: string, bit: number | undefined, unit: string | undefined): void => {
    const message = bus.model === undefined ? undefined : findMessage(bus.model.database, messageName);
    const signal = message === undefined ? undefined : findSignal(message, signalName);
    // A database without it: the module works, that value of it stays unknown.
    if (message === undefined || signal === undefined) return;
    const periodMs = sends.find((sent) => sent.message === messageName)?.periodMs;
    signals.push({
      name: `${module}.${name}`,
      terms: [{ source: { bus: bus.name, message: messageName, signal: signalName, ...(sourceAddress === undefined ? {} : { sourceAddress }) }, weight: 1 }],
      factor: 1,
      offset: 0,
      negateIf: undefined,
      validIf: undefined,
      bit,
      unit,
      labels: bit === undefined ? [...(signal.labels ?? [])].flatMap(([raw, label]) => (typeof raw === "number" ? [[raw, label] as const] : [])) : [],
      staleAfterMs: staleAfterMs(periodMs),
      origin: "module",
    });
  };
  for (const output of outputs) {
    const { reported, from } = type.outputs ?? { reported: undefined, from: 0 };
    if (reported === undefined) continue;
    const bit = reported.firstBit === undefined ? undefined : reported.firstBit + output.channel - from;
    add(output.name, fill(reported.message, address), fill(reported.signal, address, output.channel), bit, output.value.kind === "level" ? "level" : undefined);
  }
  for (const signal of type.signals) add(signal.name, fill(signal.message, address), fill(signal.signal, address), signal.bit, signal.unit);
  return signals;
}

/** Fills `{address}` and `{channel}` in. */
export function fill(template: string, address: number | undefined, channel?: number): string {
  return template.replaceAll("{address}", String(address ?? "")).replaceAll("{channel}", String(channel ?? ""));
}
