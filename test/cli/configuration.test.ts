// The configuration of a node: flags before environment before file before defaults, and what is wrong with its origin.

import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test, type Test } from "tap";
import { cloudConfigSchema } from "../../cloud-node/index.ts";
import { edgeConfigSchema } from "../../edge-node/index.ts";
import { loadConfig } from "../../cli/config/index.ts";
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
  t.same(loadConfig(cloudConfigSchema, { file: file(t, '{"data":"/d","broker":{"url":"mqtt://h:1"}}', "node.json"), env: {} }).config, { data: "/d", broker: { url: "mqtt://h:1" } });
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
