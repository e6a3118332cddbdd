// One schema for each file: published for editors, true to what the checker does.

import { test } from "tap";
import { Value } from "typebox/value";
import { modelFileSchema, overlayFileSchema, publishedSchemas, vehicleFileSchema } from "../../../actors/vehicle-file/index.ts";
import { readLocatedYaml } from "../../../actors/vehicle-file/located-yaml.ts";
import { checkShape, type Shape } from "../../../runtime/index.ts";
import { mulberry32 } from "../../../runtime/simulation/seeded-random.ts";
import { golden } from "../../project/golden.ts";

test("D2. The published JSON Schemas are those that the checker walks", (t) => {
  for (const [name, schema] of Object.entries(publishedSchemas())) {
    golden(t, `actors/vehicle-file/schema/${name}.schema.json`, `${pretty(schema, "")}\n`, "editors use this file to check a vehicle's YAML");
  }
  t.end();
});

test("D2. The checker accepts and refuses exactly what a general validator of the schema does", (t) => {
  const draw = mulberry32(4242);
  const pick = <T>(from: readonly T[]): T => from[draw() % from.length] as T;
  const atoms: readonly unknown[] = [
    "a",
    "x-1",
    "can0",
    "5s",
    "500ms",
    "9999d",
    "0.0s",
    "50/s",
    "1GB/month",
    "",
    0,
    1,
    2,
    -1,
    1.5,
    300,
    true,
    false,
    null,
    "listen-only",
    "normal",
    "j1939",
    "can0.Gps.Speed",
    "refuse",
    "acme/vehicle/a",
    "m@1",
    "mac:00",
    [],
    {},
  ];
  const keysOf = (shape: Shape): readonly string[] => [...Object.keys(shape.properties ?? {}), "can0", "torrent-0", "Vehicle.Speed", "light.set", "1", "Gps.Speed", "strange key!"];
  const grow = (shape: Shape, depth: number): unknown => {
    if (depth === 0 || draw() % 5 === 0) return pick(atoms);
    const chosen = shape.anyOf === undefined ? shape : pick(shape.anyOf);
    if (chosen.const !== undefined) return chosen.const;
    if (chosen.type === "array") return Array.from({ length: draw() % 3 }, () => grow(chosen.items ?? {}, depth - 1));
    if (chosen.type !== "object") return pick(atoms);
    const value: Record<string, unknown> = {};
    for (const key of chosen.required ?? []) if (draw() % 10 > 0) value[key] = grow(chosen.properties?.[key] ?? {}, depth - 1);
    for (let more = draw() % 3; more > 0; more--) {
      const key = pick(keysOf(chosen));
      value[key] = grow(chosen.properties?.[key] ?? Object.values(chosen.patternProperties ?? {})[0] ?? {}, depth - 1);
    }
    return value;
  };
  const counts = { accepted: 0, refused: 0 };
  for (const schema of [modelFileSchema, vehicleFileSchema, overlayFileSchema]) {
    for (let round = 0; round < 3_000; round++) {
      const value = grow(schema, 5);
      const { root } = readLocatedYaml(JSON.stringify(value));
      const complaints: string[] = [];
      if (root !== undefined) checkShape(root, schema, [], (_at, path, complaint) => complaints.push(`${path.join(".")}: ${complaint.message}`));
      const isValid = Value.Check(schema, value);
      counts[isValid ? "accepted" : "refused"]++;
      if (root === undefined || isValid !== (complaints.length === 0)) t.fail(`${JSON.stringify(value)}: ${complaints.join(", ")}`);
    }
  }
  t.ok(counts.accepted > 200 && counts.refused > 200, JSON.stringify(counts));
  t.end();
});

/** JSON as the formatter leaves it: objects over several lines, lists of words in one. */
function pretty(value: unknown, indent: string): string {
  const deeper = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item !== "object")) return `[${value.map((item) => JSON.stringify(item)).join(", ")}]`;
    return `[\n${value.map((item) => deeper + pretty(item, deeper)).join(",\n")}\n${indent}]`;
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, member]) => `${deeper}${JSON.stringify(key)}: ${pretty(member, deeper)}`);
  return members.length === 0 ? "{}" : `{\n${members.join(",\n")}\n${indent}}`;
}
