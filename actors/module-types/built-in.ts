// The module types that a vehicle's file can name with `use:`. A new family adds its table here.

import { j1939Ecu } from "./j1939.ts";
import type { ModuleType } from "./module-type.ts";
import { trailcurrentModuleTypes } from "./trailcurrent.ts";

/** By name. A Map, because names come from a file and may be `__proto__`. */
export const builtInModuleTypes: ReadonlyMap<string, ModuleType> = new Map([...trailcurrentModuleTypes, j1939Ecu].map((type) => [type.name, type]));
