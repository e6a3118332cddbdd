// The vehicle's list of commands, asked from both sides: what a sender may say, and what a committed command is to do (vehicle X1: what is not listed cannot be sent).

import { type ModuleContext, moduleType, ownerType, type VehicleContext, type WhenAway } from "../actors/index.ts";
import type { ModelCommand, ModelTarget, VehicleModel } from "../actors/vehicle-file/index.ts";
import { type Address, childAddress, type GuardReport, parseAddress } from "../runtime/index.ts";
import { outputNameOf } from "./channels.ts";
import { type BusDown, downText } from "./pipeline.ts";

export interface Listed {
  readonly command: ModelCommand;
  readonly target: ModelTarget;
}

/** What the vehicle's file says of the commands of a module, by their name there, as its actor publishes it. */
export interface Terms {
  readonly ttlMs: Readonly<Record<string, number>>;
  readonly whenAway: Readonly<Record<string, WhenAway>>;
  /** Outputs; none for the module as a whole. */
  readonly reaches: Readonly<Record<string, readonly string[]>>;
}

export interface CommandList {
  readonly model: VehicleModel;
  readonly vehicle: Address;
  /** Words that any module's protocol has or the file names. */
  readonly words: ReadonlySet<string>;
  moduleAddress(module: string): Address;
  /** Commands that `word` names for a module: by its name in the file, else by the command of the type that it runs as. */
  forModule(word: string, module: string): readonly Listed[];
  forVehicle(word: string): readonly Listed[];
  /** The one that a committed command names. */
  committed(command: string, module: string, output: string): Listed | undefined;
  /** By their name in the file, with the word of the type that each runs as; none where the module's bus is listen-only. */
  offersOf(module: string): Readonly<Record<string, string>>;
  /** Their terms by the same names. */
  termsOf(module: string): Terms;
  isListenOnly(bus: string): boolean;
}

export function commandList(model: VehicleModel, vehicleText: string): CommandList {
  const vehicle = parseAddress(vehicleText);
  const all = model.commands.flatMap((command) => command.targets.map((target): Listed => ({ command, target })));
  const modes = new Map(model.buses.map(({ name, mode }) => [name, mode]));
  const named = (word: string, from: readonly Listed[]): readonly Listed[] => {
    const byName = from.filter(({ command }) => command.name === word);
    return [...byName, ...from.filter(({ command }) => command.as === word && command.name !== word)];
  };
  const openFor = (module: string): readonly Listed[] => all.filter(({ target }) => target.module === module && modes.get(target.bus) === "normal");
  return {
    model,
    vehicle,
    words: new Set([...moduleType.messages.types, ...ownerType.messages.types, ...model.commands.map(({ name }) => name)]),
    moduleAddress: (module) => childAddress(vehicle, "module", module),
    forModule: (word, module) =>
      named(
        word,
        all.filter(({ target }) => target.module === module),
      ),
    forVehicle: (word) => named(word, all),
    committed: (command, module, output) => all.find((each) => each.command.name === command && each.target.module === module && outputNameOf(each.target) === output),
    offersOf: (module) => Object.fromEntries(openFor(module).map(({ command }) => [command.name, command.as])),
    termsOf: (module) => {
      const open = openFor(module);
      const outputsOf = (name: string): readonly string[] =>
        open.flatMap(({ command, target }) => (command.name === name && target.output !== undefined ? [target.output.name] : []));
      return {
        ttlMs: Object.fromEntries(open.map(({ command }) => [command.name, command.ttlMs])),
        whenAway: Object.fromEntries(open.map(({ command }) => [command.name, command.whenAway])),
        reaches: Object.fromEntries(open.map(({ command }) => [command.name, outputsOf(command.name)])),
      };
    },
    isListenOnly: (bus) => modes.get(bus) !== "normal",
  };
}

/** Whether the vehicle's committed state forbids sending on the bus (vehicle X1). */
export function isMuted(context: unknown, bus: string): boolean {
  const muted = (context as Partial<VehicleContext> | undefined)?.muted;
  return muted !== undefined && Object.hasOwn(muted, bus);
}

/** How a muted bus stands in an input and in a refusal. */
export function mutedReport(bus: string): GuardReport {
  return { condition: `${bus} not muted`, open: false, reads: [] };
}

/** How a bus that is down stands in an input and in a refusal. */
export function downReport(bus: string, down: BusDown): GuardReport {
  return { condition: `${bus} up`, open: false, reads: [], reason: `the bus ${bus} is ${downText(down)}` };
}

/** How a module that takes nothing, since it is not there, stands in an input and in a refusal. @param presence its committed state @param ageMs of its last frame */
export function absentReport(module: string, presence: string | undefined, ageMs: number | undefined): GuardReport {
  const reads = [{ signal: module, value: undefined, ageMs }];
  return presence === "silent" ? { condition: `${module} not silent`, open: false, reads } : { condition: `${module} heard`, open: undefined, reads };
}

/** What the committed context of a module wants of an output, if anything. */
export function desiredOf(context: unknown, output: string): NonNullable<ModuleContext["outputs"][string]["desired"]> | undefined {
  const outputs = (context as Partial<ModuleContext> | undefined)?.outputs;
  return outputs !== undefined && Object.hasOwn(outputs, output) ? outputs[output]?.desired : undefined;
}
