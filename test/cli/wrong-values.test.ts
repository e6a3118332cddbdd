// Every key of every file that a person writes, with wrong values of each kind: what was expected is told in words that the value itself would not have fulfilled.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type Test } from "tap";
import { CheckedFile, modelFileSchema, overlayFileSchema, ProblemList, vehicleFileSchema } from "../../actors/vehicle-file/index.ts";
import { cloudConfigSchema } from "../../cloud-node/index.ts";
import { edgeConfigSchema } from "../../edge-node/index.ts";
import type { Problem, Shape } from "../../runtime/index.ts";
import { drover, scratch } from "./captured.ts";

const FILES: Readonly<Record<string, Shape>> = { cloud: cloudConfigSchema, edge: edgeConfigSchema, model: modelFileSchema, vehicle: vehicleFileSchema, overlay: overlayFileSchema };

/** Of each kind some that fit nowhere, or hardly anywhere. */
const VALUES: readonly unknown[] = ["", " ", "a b", "ä/\\:*?", "http://x", "x".repeat(5_000), 0, -1, 1.5, 1e15, true, null, [], [[]], {}, { "a b": 1 }];

/** One of them fits each pattern of keys. */
const NAMES = ["can0", "parked", "torrent-0", "light.set", "Vehicle.Speed", "PATH", "1", "Gps.Speed"];

interface Field {
  readonly path: readonly string[];
  readonly shape: Shape;
}

function fields(shape: Shape, path: readonly string[] = []): readonly Field[] {
  const below = [
    ...Object.entries(shape.properties ?? {}).flatMap(([key, inner]) => fields(inner, [...path, key])),
    ...Object.entries(shape.patternProperties ?? {}).flatMap(([pattern, inner]) => fields(inner, [...path, nameFor(pattern)])),
    ...(shape.items === undefined ? [] : fields(shape.items, [...path, "0"])),
    ...(shape.anyOf ?? []).flatMap((inner) => fields(inner, path)),
  ];
  return path.length === 0 ? below : [{ path, shape }, ...below];
}

function nameFor(pattern: string): string {
  const name = NAMES.find((each) => new RegExp(pattern, "u").test(each));
  if (name === undefined) throw new Error(`no name fits ${pattern}`);
  return name;
}

/** A document with nothing but the value at its place. */
function around(path: readonly string[], value: unknown): unknown {
  return path.reduceRight((inner, step) => (step === "0" ? [inner] : { [step]: inner }), value);
}

function problemsOf(shape: Shape, document: unknown): readonly Problem[] {
  const problems = new ProblemList();
  new CheckedFile("file", JSON.stringify(document), problems).read(shape);
  return problems.list();
}

/** Words that are true of the value that was refused. */
function emptyWords(value: unknown): readonly string[] {
  if (typeof value === "string") return ["a text", ...(value === "" ? [] : ["a text that is not empty"])];
  if (typeof value === "number") return ["a number", ...(Number.isInteger(value) ? ["a whole number"] : [])];
  if (value === null) return [];
  if (typeof value === "boolean") return ["true or false"];
  return Array.isArray(value) ? ["a list"] : ["keys and values"];
}

for (const [name, schema] of Object.entries(FILES))
  test(`D2. Every key of the ${name} file with a wrong value of any kind is told what was expected, in words that the value does not fulfil`, (t) => {
    let refused = 0;
    const all = fields(schema);
    for (const { path } of all) {
      const about = path.join(".");
      let isEverRefused = false;
      for (const value of VALUES) {
        for (const { path: at, message, expected } of problemsOf(schema, around(path, value))) {
          if (at !== about && !at.startsWith(`${about}.`)) continue;
          isEverRefused = true;
          refused++;
          // Of a map it is the key "a b" that is wrong, of a list what stands in it.
          const found = at === about ? value : Array.isArray(value) ? value[0] : Object.keys(value as object)[0];
          const words = `${at} with ${JSON.stringify(value).slice(0, 40)}: ${message.slice(0, 100)} (expected ${String(expected)})`;
          if (expected === undefined || emptyWords(found).includes(expected)) t.fail(words);
          else if (/[\\^$]|\[[^\]]*-|undefined|another value/.test(expected)) t.fail(`${words}: a pattern is no words`);
        }
      }
      t.ok(isEverRefused, `${about} is checked`);
    }
    t.ok(refused > all.length * 5, `${String(refused)} wrong values of ${String(all.length)} fields`);
    t.end();
  });

const CLOUD: readonly (readonly [text: string, message: string])[] = [
  ["broker: { prot: 1883 }", 'broker.prot: the key "prot" is not known here (expected one of url, username, password, host, port; did you mean "port"?)'],
  ["broker: { hst: x }", 'broker.hst: the key "hst" is not known here (expected one of url, username, password, host, port; did you mean "host"?)'],
  ["broker: { usrname: x }", 'broker.usrname: the key "usrname" is not known here (expected one of url, username, password, host, port; did you mean "username"?)'],
  ["broker: { host: x, prot: 1 }", 'broker.prot: the key "prot" is not known here (expected one of host, port; did you mean "port"?)'],
  ['broker: { url: "http://x" }', 'broker.url: "http://x" stands here (expected mqtt://host:port or mqtts://host:port)'],
  ['broker: { url: "mqtt://h:99999" }', 'broker.url: "mqtt://h:99999" is no broker (expected mqtt://host:port or mqtts://host:port)'],
  ['broker: { url: "mqtt://u:%zz@h" }', 'broker.url: "mqtt://...@h" is no broker (expected mqtt://host:port or mqtts://host:port)'],
  ["broker: 1883", "broker: the number 1883 stands here (expected host and port of the embedded broker, or url, username and password of an external one)"],
  ['node: "a b"', 'node: "a b" stands here (expected a node\'s name of 1 to 64 letters, digits and _.~-)'],
  ["services: { camera: { command: x, ready: { intervall_ms: 5 } } }", 'services.camera.ready.intervall_ms: the key "intervall_ms" is not known here'],
  ["services: { camera: { command: x, ready: { interval_ms: 5 } } }", "services.camera.ready: the key that says what is meant is missing (expected one of line, tcp, http, exec)"],
  ['data: ""', "data: the text is empty (expected a folder)"],
  ['http: { host: "" }', "http.host: the text is empty (expected a name or address of this machine, such as 127.0.0.1)"],
];

test("D2. start cloud ends with 3 and says the place, what was expected, and of a broker's misspelt key the nearest of both kinds", async (t) => {
  for (const [text, message] of CLOUD) {
    const file = configuration(t, `# a cloud\n${text}\n`);
    const { code, err } = await drover(["start", "cloud", "--config", file], { env: { DROVER_DATA: scratch(t), DROVER_HTTP_PORT: "0" } });
    t.equal(code, 3, text);
    t.ok(err.includes(message), `${text}: ${err}`);
    t.match(err, /cloud\.yaml:2:\d+: /, text);
  }
});

function configuration(t: Test, text: string): string {
  const file = join(scratch(t), "cloud.yaml");
  writeFileSync(file, text);
  return file;
}
