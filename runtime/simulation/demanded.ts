// What one call of the simulation's door is given, checked before it does anything.

import { demandShape, type Shape } from "../shape/index.ts";

/**
 * @param call for a reader: `jump`
 * @throws DROVER_SIMULATION_INVALID with each argument that is none, a line each
 */
export function demanded<A extends object>(call: string, given: A, shapes: Readonly<Record<keyof A & string, Shape>>): void {
  demandShape(given, { type: "object", properties: shapes, required: Object.keys(shapes) }, call, "DROVER_SIMULATION_INVALID", true);
}
