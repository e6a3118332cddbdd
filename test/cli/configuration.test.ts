// The configuration of a node: flags before environment before file before defaults, and what is wrong with its origin.

import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test, type Test } from "tap";
import { cloudConfigSchema } from "../../cloud-node/index.ts";
import { edgeConfigSchema } from "../../edge-node/index.ts";
import { loadConfig, withPlaces } from "../../cli/config/index.ts";
import { DroverError } from "../../runtime/ports/index.ts";
import { root } from "../project/checkout.ts";
import { drover, scratch } from "./captured.ts";

function file(t: Test, text: string, name = "node.yaml"): string {
  const path = join(scratch(t), name);
  writeFileSync(path, text);
  return path;
}

test("flags win over environment, environment over file, file over defaults", (t) => {
  const path = file(t, "data: from-file\nhttp: { port: 1, host: 127.0.0.1 }\nbroker: { port: 2 }\n");
  const env = { DROVER_HTTP_PORT: "11", DROVER_BROKER_PORT: "12" };
  t.same(loadConfig(cloudConfigSchema, { file: path, env, set: ["broker.port=22"], defaults: { data: "default", node: "n" } }).config, {
    data: join(dirname(path), "from-file"),
    node: "n",
    http: { port: 11, host: "127.0.0.1" },
    broker: { port: 22 },
  });
  t.end();
});

test("JSON is read as YAML is, and no file at all is fine", (t) => {
  t.same(loadConfig(cloudConfigSchema, { file: file(t, '{"data":"/d","broker":{"url":"mqtt://h:1"}}', "node.json"), env: {} }).config, {
    data: "/d",
    broker: { url: "mqtt://h:1" },
  });
  t.same(loadConfig(cloudConfigSchema, { env: { DROVER_DATA: "d", DROVER_BROKER_URL: "mqtt://h:1" } }).config, { data: "d", broker: { url: "mqtt://h:1" } });
  t.end();
});

test("what a file lacks may come from the environment", (t) => {
  const path = file(t, "buses: { can0: 'virtual:a' }\nuplink: { username: u }\n");
  const env = { DROVER_VEHICLE: "v.yaml", DROVER_DATA: "d", DROVER_UPLINK_URL: "mqtt://h" };
  t.same(loadConfig(edgeConfigSchema, { file: path, env }).config, { vehicle: "v.yaml", data: "d", buses: { can0: "virtual:a" }, uplink: { username: "u", url: "mqtt://h" } });
  t.end();
});

test("a path in a file counts from the file's folder, wherever the command runs", (t) => {
  const path = file(
    t,
    "vehicle: my-car.yaml\ndata: ../data\nbuses: { can0: 'log:logs/a.log?loop=true', can1: 'log:/abs.log', can2: 'virtual:x', can3: 'rig:sockets' }\nuplink: { url: 'mqtt://h', credentials: /keys }\n",
  );
  const folder = dirname(path);
  t.same(loadConfig(edgeConfigSchema, { file: path, env: {} }).config, {
    vehicle: join(folder, "my-car.yaml"),
    data: join(folder, "../data"),
    buses: { can0: `log:${join(folder, "logs/a.log")}?loop=true`, can1: "log:/abs.log", can2: "virtual:x", can3: `rig:${join(folder, "sockets")}` },
    uplink: { url: "mqtt://h", credentials: "/keys" },
  });
  t.match(loadConfig(edgeConfigSchema, { file: path, env: { DROVER_DATA: "here" } }).config, { data: "here" }, "one from the environment is the user's own");
  t.end();
});

test("a key that is not known is told with file, line, column and the nearest one", (t) => {
  const path = file(t, "data: d\nhttp:\n  prt: 80\nbrokr: {}\n");
  t.throws(() => loadConfig(cloudConfigSchema, { file: path, env: {} }), {
    code: "DROVER_CONFIG_INVALID",
    message: new RegExp(`${path}:3:3: http\\.prt: .*did you mean "port"\\?[^]*${path}:4:1: brokr: .*did you mean "broker"\\?`),
    position: { file: path, line: 3, column: 3 },
  });
  t.end();
});

test("a wrong value names where it came from: the place, the variable, the flag", (t) => {
  t.throws(() => loadConfig(cloudConfigSchema, { file: file(t, "data: d\nhttp: { port: many }\n"), env: {} }), { message: /:2:15: http\.port: .*whole number from 0 to 65535/ });
  t.throws(() => loadConfig(cloudConfigSchema, { env: { DROVER_DATA: "d", DROVER_HTTP_PORT: "99999" } }), { message: /^DROVER_HTTP_PORT: http\.port: 99999 is out of range/ });
  t.throws(() => loadConfig(cloudConfigSchema, { env: { DROVER_DATA: "d" }, set: ["http.port=x"] }), { message: /^--set: http\.port: / });
  t.throws(() => loadConfig(cloudConfigSchema, { env: {}, set: ["htp.port=1"] }), { message: /did you mean "http\.port"\?/ });
  t.throws(() => loadConfig(cloudConfigSchema, { env: {}, set: ["http.port"] }), { message: /expected path=value/ });
  t.throws(() => loadConfig(cloudConfigSchema, { env: {}, set: ["__proto__.x=1"] }), { message: /is not known/ });
  t.throws(() => loadConfig(cloudConfigSchema, { env: {} }), { message: /the key "data" is missing.*DROVER_DATA/ });
  t.end();
});

test("the alternatives of the broker are told apart by their keys", (t) => {
  t.throws(() => loadConfig(cloudConfigSchema, { file: file(t, "data: d\nbroker: { port: 1, hst: x }\n"), env: {} }), { message: /broker\.hst: .*did you mean "host"\?/ });
  t.throws(() => loadConfig(cloudConfigSchema, { file: file(t, "data: d\nbroker: { url: 'mqtt://h', usernme: x }\n"), env: {} }), {
    message: /broker\.usernme: .*did you mean "username"\?/,
  });
  t.end();
});

test("a variable that nothing knows is a warning with the nearest name", (t) => {
  t.same(loadConfig(cloudConfigSchema, { env: { DROVER_DATA: "d", DROVER_HTTP_PRT: "1", DROVER_TOKEN: "t" } }).warnings, [
    "the variable DROVER_HTTP_PRT is not known; did you mean DROVER_HTTP_PORT?",
  ]);
  t.end();
});

test("drover start ends with exit code 3 and the place; a file that is not there with 4", async (t) => {
  const path = file(t, "data: d\nhttpp: { port: 1 }\n");
  const wrong = await drover(["start", "cloud", "--config", path]);
  t.equal(wrong.code, 3);
  t.match(wrong.err, `${path}:2:1: httpp`);
  t.equal((await drover(["start", "cloud", "--config", "not-there.yaml"])).code, 4);
  t.equal((await drover(["start", "edge", "--config", file(t, "vehicle: gone.yaml\ndata: d\nbuses: {}\n")])).code, 3);
  t.equal((await drover(["start", "cloud", "--log-level", "loud"])).code, 2);
});

/** The vehicle of the README, with lines of its configuration exchanged. */
function ownVehicle(t: Test, exchange: Readonly<Record<string, string | undefined>>): string {
  const folder = scratch(t);
  cpSync(join(root, "test/docs/own-vehicle"), folder, { recursive: true });
  const path = join(folder, "edge.yaml");
  const lines = readFileSync(path, "utf8").split("\n");
  const changed = lines.map((line) => {
    const key = line.split(":")[0] ?? "";
    return key in exchange ? exchange[key] : line;
  });
  writeFileSync(path, changed.filter((line) => line !== undefined).join("\n"));
  return path;
}

test("G5. What a node finds wrong with a setting is told with file, line, column, what was expected and the nearest name", async (t) => {
  const cases: readonly (readonly [exchange: Readonly<Record<string, string | undefined>>, said: string])[] = [
    [{ buses: 'buses: { can1: "log:drive.log" }' }, '3:10: buses.can1: the key "can1" is not a bus of the vehicle\'s file (expected "can0"; did you mean "can0"?)'],
    [{ buses: 'buses: { can1: "log:drive.log" }' }, "3:8: buses.can0: the vehicle's file has this bus, and no source is given for it (expected log:FILE"],
    [{ buses: 'buses:\n  can0: "log:drive.log?rat=1"' }, "4:9: buses.can0: "],
    [{ buses: 'buses: { can0: "log:drive.log?rat=1" }' }, 'the option "rat" is not known (expected one of rate, loop, bus; did you mean "rate"?)'],
    [{ buses: 'buses: { can0: "log:drive.log?rate=-1" }' }, "3:16: buses.can0: "],
    [{ buses: 'buses: { can0: "log:drive.log?rate=-1" }' }, "rate=-1 (expected a number above 0)"],
    [{ buses: 'buses: { can0: "socketcan:can0" }' }, '3:16: buses.can0: "socketcan:can0": "socketcan" is no source of frames (expected log:FILE, rig:SOCKET or virtual:NAME)'],
    [{ buses: 'buses: { can0: "vitrual:x" }' }, 'did you mean "virtual"?'],
    [{ buses: undefined }, '1:1: the key "buses" is missing (expected keys and values)'],
    [{ http: "http: { host: 127.0.0.1 }" }, '4:7: http: the key "port" is missing (expected a whole number from 0 to 65535), or set DROVER_HTTP_PORT'],
  ];
  for (const [exchange, said] of cases) {
    const path = ownVehicle(t, exchange);
    const started = await drover(["start", "edge", "--config", path]);
    t.equal(started.code, 3, said);
    const isPlaced = /^\d/.test(said);
    t.ok(started.err.includes(isPlaced ? `\n  ${path}:${said}` : said), `${said}\n${started.err}`);
    const doctor = await drover(["doctor", "--config", path, "--data", scratch(t), "--json"], { env: { DROVER_HTTP_PORT: "" } });
    const found = (JSON.parse(doctor.out) as { findings: { check: string; status: string; what: string }[] }).findings.find(({ check }) => check === "configuration");
    t.match(found, { status: "problem" }, `doctor: ${said}`);
    t.ok(found?.what.includes(isPlaced ? `${path}:${said}` : said), `doctor: ${said}\n${String(found?.what)}`);
  }
});

test("G5. A setting's origin is the variable or the flag that gave it; what is given nowhere has the place of the object that lacks it", (t) => {
  const path = file(t, "# a comment\nvehicle: v.yaml\nbuses:\n  can0: 'virtual:a'\nhttp: { port: 1 }\n");
  const { placeOf } = loadConfig(edgeConfigSchema, { file: path, env: { DROVER_HTTP_HOST: "h" }, set: ["node=n"], defaults: { data: "d" } });
  t.same(
    ["vehicle", "buses.can0", "buses.can1", "http.port", "http.host", "node", "data", "uplink.url"].map((each) => placeOf(each)?.replace(path, "F")),
    ["F:2:10", "F:4:9", "F:4:3", "F:5:15", "DROVER_HTTP_HOST", "--set", "F:2:1", "F:2:1"],
  );
  t.equal(placeOf("buses.can0", "key"), `${path}:4:3`);
  t.equal(placeOf("demo"), undefined, "no setting");
  t.equal(loadConfig(cloudConfigSchema, { env: { DROVER_DATA: "d" } }).placeOf("http.port"), undefined, "no file");
  t.throws(() => loadConfig(cloudConfigSchema, { file: file(t, "data: d\nbroker: { port: 1 }\n"), env: { DROVER_BROKER_URL: "mqtt://h" } }), {
    message: /:2:11: broker\.port: the key "port" is not known here/,
  });
  t.end();
});

test("G5. Only lines about a setting get a place, and an error of another kind comes back as it is", (t) => {
  const placeOf = (path: string, about?: string): string | undefined => (path.startsWith("http") ? `F:${String(about)}` : undefined);
  const placed = (text: string): string => (withPlaces(new DroverError("DROVER_CONFIG_INVALID", text), placeOf) as Error).message;
  t.equal(placed('"edge" could not start: "edge/api" could not start: http.host: no address'), "F:value: http.host: no address");
  t.equal(placed('http.prt: the key "prt" is not known'), 'F:key: http.prt: the key "prt" is not known');
  t.equal(placed('http: the key "port" is missing'), 'F:value: http: the key "port" is missing');
  const other = "car.yaml:3:1: http: x\nelse: x\nhttp is wrong\nport 80 may not be opened";
  t.equal(placed(other), other);
  const inUse = new DroverError("DROVER_PORT_IN_USE", "http.port: x");
  t.equal(withPlaces(inUse, placeOf), inUse);
  t.equal(withPlaces("text", placeOf), "text");
  t.end();
});
