// What a plan would come to at the cloud, and what of it would be refused, placed in the plan's file.

import type { Problem } from "../../runtime/shape/index.ts";
import type { ApiClient } from "../api/index.ts";
import { EXIT, type ExitCode } from "../terminal/index.ts";
import type { WrittenPlan } from "./plan-file.ts";

interface Refusal {
  readonly type: string;
  readonly path: string;
  readonly message: string;
  readonly expected?: string;
}

export interface TriedGroup {
  readonly name: string;
  readonly size: number;
  readonly abortCount: number | null;
  readonly pauseCount: number | null;
  readonly first: readonly { readonly vehicle: string; readonly modules: readonly string[] }[];
}

interface Tried {
  readonly address: string;
  readonly images: readonly { readonly sha256: string; readonly kept: boolean }[];
  readonly targets: number;
  readonly upToDate: number;
  readonly groups: readonly TriedGroup[];
  readonly refused: readonly Refusal[];
  readonly more: number;
}

export interface TriedPlan extends Omit<Tried, "refused"> {
  /** Without images that the plan brings itself. */
  readonly refused: readonly (Problem & { readonly type: string })[];
  /** There is a rollout of this name. */
  readonly exists: boolean;
}

/** Another rollout stands in the way: it may pass. */
const IN_THE_WAY = ["rollout-exists", "rollout-module-taken"];
/** Planning 10,000 targets may take half of it. */
const TRIED_WITHIN_MS = 60_000;

export async function tryPlan(api: ApiClient, { plan, files, located }: WrittenPlan, tenant: string | undefined): Promise<TriedPlan> {
  const { body } = await api.ask<Tried>("/v1/rollouts/trial", { method: "POST", query: { tenant }, body: plan, withinMs: TRIED_WITHIN_MS });
  const isBrought = ({ type, path }: Refusal): boolean => type === "rollout-image-unknown" && files[Number(path.split("/")[2])] !== undefined;
  return {
    ...body,
    exists: body.refused.some(({ type }) => type === "rollout-exists"),
    refused: body.refused.filter((each) => !isBrought(each)).map(({ type, path, message, expected }) => ({ type, ...located(path, { message, expected }) })),
  };
}

export function exitOfRefused(refused: TriedPlan["refused"]): ExitCode {
  if (refused.length === 0) return EXIT.ok;
  return refused.every(({ type }) => IN_THE_WAY.includes(type)) ? EXIT.conflict : EXIT.invalid;
}
