// Whether a module may be updated now, judged on fresh values outside of every machine (vehicle V3, X1), and told to the vehicle's actor as a fact.
//
// S1. May it? is known or it may not: the file lists it, its bus is open, up and not muted, the file's guard is true, its module speaks, and its outputs are off or somebody has released it.
// S2. Why not is said in words that stay the same while the reason does, so that nothing is journaled for a value that moves.
// S3. While its own update is at work a module may be silent and its outputs unknown: what is told then is the vehicle's part.

import { isAtWork, isCampaignOver, hasEnded, type VehicleContext } from "../actors/index.ts";
import type { ModelCondition, ModelUpdate } from "../actors/vehicle-file/index.ts";
import type { System } from "../runtime/index.ts";
import type { CommandList } from "./commands.ts";
import { isMuted } from "./commands.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Teller } from "./teller.ts";

export type Safety = { readonly open: true } | { readonly open: false; readonly why: string };

export interface UpdateSafety {
  /** @param of `vehicle`: without the module's own part (S3) */
  judge(module: string, nowMs: number, of?: "module" | "vehicle"): Safety;
  /** What the file lists for it. */
  listed(module: string): ModelUpdate | undefined;
}

export interface UpdateFacts {
  beat(nowMs: number): void;
}

const OPEN: Safety = { open: true };

export function createUpdateSafety({
  commands,
  pipeline,
  read,
}: {
  readonly commands: CommandList;
  readonly pipeline: Pick<Pipeline, "conditions" | "condition" | "table" | "presence">;
  readonly read: System["read"];
}): UpdateSafety {
  const { model, vehicle } = commands;
  const updates = new Map(model.updates.map((update) => [update.module, update]));
  const conditions = new Map(model.conditions.map((condition) => [condition.name, condition]));

  function guarded(guard: string, nowMs: number): string | undefined {
    const { open } = pipeline.conditions.evaluate(guard, nowMs);
    if (open === true) return undefined;
    const closed = partsOf(conditions.get(guard)).filter((name) => pipeline.conditions.evaluate(name, nowMs).open !== true);
    const words = (name: string): string => `${name} is not ${pipeline.conditions.evaluate(name, nowMs).open === false ? "true" : "known"}`;
    return closed.length === 0 ? words(guard) : closed.map(words).join(", ");
  }

  function ofVehicle({ bus, guard }: ModelUpdate, context: VehicleContext | undefined, nowMs: number): string | undefined {
    if (commands.isListenOnly(bus)) return `listen-only: nothing can be sent on ${bus}`;
    if (isMuted(context, bus)) return `sending on ${bus} is muted`;
    if (pipeline.condition(bus).kind === "down") return `the bus ${bus} is down`;
    return guard === undefined ? undefined : guarded(guard, nowMs);
  }

  function ofModule(name: string, context: VehicleContext | undefined, nowMs: number): string | undefined {
    if (pipeline.presence.stateOf(name, nowMs)?.state !== "present") return `${name} is not heard`;
    if (Object.hasOwn(context?.updates?.released ?? {}, name)) return undefined;
    const shown = model.modules.find((module) => module.name === name)?.outputs.map(({ name: output, signal }) => ({ output, reading: pipeline.table.read(signal, nowMs) })) ?? [];
    const unknown = shown.filter(({ reading }) => reading?.quality !== "good").map(({ output }) => output);
    if (unknown.length > 0) return `whether its outputs are off is not known: ${unknown.join(", ")}`;
    const on = shown.filter(({ reading }) => reading?.value !== 0).map(({ output }) => output);
    return on.length === 0 ? undefined : `its outputs are on: ${on.join(", ")}; update.release lets it be updated all the same`;
  }

  return {
    listed: (module) => updates.get(module),
    judge: (module, nowMs, of = "module") => {
      const update = updates.get(module);
      if (update === undefined) return { open: false, why: notListed(module) };
      const context = read(vehicle)?.context as VehicleContext | undefined;
      const why = ofVehicle(update, context, nowMs) ?? (of === "module" ? ofModule(module, context, nowMs) : undefined);
      return why === undefined ? OPEN : { open: false, why };
    },
  };
}

export function notListed(module: string): string {
  return `the vehicle's file does not let ${module} be updated (update.start)`;
}

/** The named conditions that a guard is made of, as far as it only joins them. */
function partsOf(guard: ModelCondition | undefined): readonly string[] {
  if (guard?.condition.kind !== "all") return [];
  return guard.condition.conditions.flatMap((part) => (part.kind === "named" ? [part.name] : []));
}

export function createUpdateFacts({
  commands,
  safety,
  teller,
  system,
}: {
  readonly commands: CommandList;
  readonly safety: UpdateSafety;
  readonly teller: Teller;
  readonly system: Pick<System, "read">;
}): UpdateFacts {
  const { vehicle } = commands;
  return {
    beat: (nowMs) => {
      const campaign = (system.read(vehicle)?.context as VehicleContext | undefined)?.updates?.campaign;
      if (campaign === undefined || campaign === null || isCampaignOver(campaign)) return;
      for (const update of campaign.updates) {
        if (hasEnded(update)) continue;
        const { module } = update;
        const found = safety.judge(module, nowMs, isAtWork(update) ? "vehicle" : "module");
        const known = Object.hasOwn(campaign.safety, module) ? campaign.safety[module] : undefined;
        if (known?.open === found.open && known.why === (found.open ? null : found.why)) continue;
        teller.say(vehicle, `safety of ${module}`, { type: "safety.observed", module, ...found });
      }
    },
  };
}
