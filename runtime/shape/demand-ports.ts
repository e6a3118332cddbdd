// What a node is embedded with in place of the real ports. One that is missing is told at once, with the way to have them all.

import { DroverError } from "../errors.ts";
import type { Shape } from "./check-shape.ts";
import { aClock, aFunction, aLog, aRandom, withMethods } from "./code-shapes.ts";
import { demandShape } from "./demand-shape.ts";

const OF_EVERY_NODE = { clock: aClock, random: aRandom, log: aLog };

/** A function, one that may be missing, or an object with these methods. */
export type PortKind = "function" | "function, if any" | readonly string[];

/** @param kinds of all ports but clock, random and log, which every node has @throws DROVER_CONFIG_INVALID with every port that is missing, unknown or of another kind, a line each */
export function demandPorts<T>(ports: unknown, kinds: Readonly<Record<Exclude<keyof T & string, keyof typeof OF_EVERY_NODE>, PortKind>>): void {
  const given: readonly (readonly [string, PortKind])[] = Object.entries(kinds);
  const shape: Shape = {
    type: "object",
    properties: { ...OF_EVERY_NODE, ...Object.fromEntries(given.map(([name, kind]) => [name, typeof kind === "string" ? aFunction : withMethods("an object", ...kind)])) },
    required: [...Object.keys(OF_EVERY_NODE), ...given.filter(([, kind]) => kind !== "function, if any").map(([name]) => name)],
  };
  try {
    demandShape(ports, shape, "the ports", "DROVER_CONFIG_INVALID", true);
  } catch (error) {
    if (!(error instanceof DroverError)) throw error;
    throw new DroverError(error.code, `${error.message}\nbegin with the real ones and change what is to be another: { ...realPorts, log }`, { cause: error });
  }
}
