// One row for every J1939 control unit: who it is follows from the source address of its frames, what it sends from the bus's database.

import type { ModuleType } from "./module-type.ts";

export const j1939Ecu: ModuleType = {
  name: "j1939/ecu",
  title: "J1939 control unit",
  source: "SAE J1939-21 (identifier: priority, parameter group, source address) as described in public introductions",
  place: { kind: "j1939" },
  // No list: any frame from its source address proves that it is there; periods are learnt.
  sends: [],
  signals: [],
  commands: {},
  health: [],
};
