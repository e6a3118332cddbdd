// What both supervisors are asked: a tree of children that do as they are told, and steps from outside. One scene is run on Drover and on OTP.

import type { AutoShutdown, RestartType, Strategy } from "../../../../runtime/supervision/index.ts";

/** How a child ends by itself. `stopped` is OTP's `{shutdown, Term}`, in Drover a shutdown with a cause. */
export type How = "normal" | "shutdown" | "stopped" | "failed" | "killed";

export interface SceneChild {
  readonly id: string;
  readonly restart: RestartType;
  readonly significant: boolean;
  /** Whole ms; 0 is OTP's `brutal_kill`. */
  readonly shutdownMs: number;
}

export interface SceneSupervisor {
  readonly id: string;
  readonly restart: RestartType;
  readonly significant: boolean;
  readonly strategy: Strategy;
  readonly intensity: number;
  /** OTP knows whole seconds only. */
  readonly periodSeconds: number;
  readonly autoShutdown: AutoShutdown;
  /** Whole ms; undefined is OTP's `infinity`. */
  readonly shutdownMs?: number;
  readonly children: readonly (SceneChild | SceneSupervisor)[];
}

/** After each step everybody does what there is to do before the next one; no step waits for its effect. */
export type Step =
  | readonly ["start"]
  /** As its parent asks. */
  | readonly ["stop"]
  | readonly ["end", id: string, how: How]
  /** One after the other, before the supervisor has heard of either. */
  | readonly ["end-both", id: string, how: How, other: string, otherHow: How]
  /** The next so many starts of it fail. */
  | readonly ["fail-starts", id: string, count: number]
  /** Its next start waits for `release`, as its next end does where it is asked to stop. */
  | readonly ["hold-start" | "hold-stop" | "release", id: string]
  /** Below the root. */
  | readonly ["remove" | "restart", id: string]
  /** Below the one nested supervisor, at run time; permanent. */
  | readonly ["add", id: string]
  /** By somebody who waits for the answer, of that supervisor; added is a permanent child. */
  | readonly ["ask", request: "add" | "remove" | "restart", id: string, of: string]
  | readonly ["advance", seconds: number];

export interface Scene {
  readonly name: string;
  readonly root: SceneSupervisor;
  readonly steps: readonly Step[];
}

export function a(id: string, restart: RestartType = "permanent", more: Partial<SceneChild> = {}): SceneChild {
  return { id, restart, significant: false, shutdownMs: 60_000, ...more };
}

export function below(id: string, more: Partial<SceneSupervisor>, children: readonly (SceneChild | SceneSupervisor)[]): SceneSupervisor {
  return { id, restart: "permanent", significant: false, strategy: "one-for-one", intensity: 3, periodSeconds: 30, autoShutdown: "never", ...more, children };
}

/** As it stands in a journal: `end b failed`. */
export function stepName(step: Step): string {
  return step.join(" ");
}
