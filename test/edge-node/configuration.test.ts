// What a node's configuration and its vehicle's files may say, and what a mistake in them gets.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { createEdgeNode, type EdgeConfig, readEdgeConfig, realPorts } from "../../edge-node/index.ts";
import { nodeCredential } from "../../protocols/mqtt/index.ts";
import { createVirtualBus } from "../../protocols/virtual-can/index.ts";
import type { DroverError } from "../../runtime/index.ts";
import { root } from "../project/checkout.ts";
import { desk, VEHICLES } from "./desk.ts";

function problem(run: () => unknown): Pick<DroverError, "code" | "message" | "position"> {
  try {
    run();
  } catch (error) {
    return error as DroverError;
  }
  throw new Error("nothing was wrong");
}

const GOOD = `node: edge-1
vehicle: vehicles/trailer-01.yaml
data: .drover/edge-1
buses: { can0: "rig:.drover/rig" }
uplink: { url: "mqtt://127.0.0.1:1883", username: edge-1, password: secret }
`;

test("D1. A configuration is read from YAML and from JSON alike", (t) => {
  const yaml = readEdgeConfig("edge.yaml", GOOD);
  t.match(yaml, { node: "edge-1", buses: { can0: "rig:.drover/rig" }, uplink: { password: "secret" } });
  t.strictSame(JSON.parse(JSON.stringify(readEdgeConfig("edge.json", JSON.stringify(yaml)))), JSON.parse(JSON.stringify(yaml)));
  t.end();
});

test("D1, D2. An unknown key is refused with file, line, column and the key that was meant", (t) => {
  t.match(
    problem(() => readEdgeConfig("edge.yaml", GOOD.replace("uplink:", "uplnk:"))),
    {
      code: "DROVER_CONFIG_INVALID",
      position: { file: "edge.yaml", line: 5, column: 1 },
      message: /edge\.yaml:5:1: uplnk: the key "uplnk" is not known here .*did you mean "uplink"/,
    },
  );
  t.match(
    problem(() => readEdgeConfig("edge.yaml", `${GOOD}labels: { fleet: north }\n`)),
    { position: { line: 6 } },
    "facts of the vehicle stand in the vehicle's file",
  );
  t.match(
    problem(() => readEdgeConfig("edge.yaml", "vehicle: [\n")),
    { code: "DROVER_CONFIG_INVALID", position: { file: "edge.yaml" } },
  );
  t.match(
    problem(() => readEdgeConfig("edge.yaml", "")),
    { code: "DROVER_CONFIG_INVALID" },
  );
  t.match(
    problem(() => readEdgeConfig("edge.yaml", "data: x\n")),
    { message: /"vehicle" is missing[^]*"buses" is missing/ },
    "all of them at once",
  );
  t.match(
    problem(() => readEdgeConfig("edge.yaml", GOOD.replace("mqtt:", "http:"))),
    { message: /edge\.yaml:5:16: uplink\.url:.*expected mqtt:/ },
  );
  t.end();
});

test("an object in code is checked as a file is", (t) => {
  const at = desk();
  const good: EdgeConfig = { vehicle: `${VEHICLES}rav4-01.yaml`, data: "memory", buses: { can0: "virtual:can0" } };
  t.ok(createEdgeNode(good, at.ports()));
  t.match(
    problem(() => createEdgeNode({ ...good, http: { port: 99_999 } }, at.ports())),
    { message: /^http\.port: 99999 is out of range/ },
  );
  t.match(
    problem(() => createEdgeNode({ ...good, upink: {} } as never, at.ports())),
    { message: /did you mean "uplink"/ },
  );
  const keys = "keys and values, at least vehicle, data, buses";
  const cases: readonly (readonly [name: string, config: unknown, message: string | RegExp])[] = [
    ["nothing", undefined, `the configuration: nothing stands here (expected ${keys})`],
    ["null", null, `the configuration: nothing stands here (expected ${keys})`],
    ["a text", "edge.yaml", `the configuration: the text "edge.yaml" stands here (expected ${keys})`],
    ["a list", [good], `the configuration: a list stands here (expected ${keys})`],
    ["no key", {}, /^the configuration: the key "vehicle" is missing \(.*\)\nthe configuration: the key "data" is missing .*\nthe configuration: the key "buses" is missing/],
    ["null for a map", { ...good, buses: null }, "buses: nothing stands here (expected keys and values)"],
    ["a list for a map", { ...good, buses: [] }, "buses: a list stands here (expected keys and values)"],
    ["a number for a bus", { ...good, buses: { can0: 1 } }, /^buses\.can0: the number 1 stands here \(expected log:FILE/],
    ["an open bus", { ...good, buses: { can0: { start: () => undefined } } }, /^buses\.can0: a map stands here /],
    ["a number for a path", { ...good, vehicle: 7 }, "vehicle: the number 7 stands here (expected the path of a vehicle's file)"],
    ["a function for a path", { ...good, data: () => "d" }, "data: a function stands here (expected a folder)"],
    ["a key below", { ...good, uplink: { url: "mqtt://h", pasword: "x" } }, /^uplink\.pasword: .*did you mean "password"\?\)$/],
    ["no url", { ...good, uplink: { username: "u" } }, 'uplink: the key "url" is missing (expected mqtt://host:port or mqtts://host:port)'],
    ["the cloud's key", { ...good, broker: { port: 1 } }, /^broker: the key "broker" is not known here /],
  ];
  for (const [name, config, message] of cases) {
    const found = problem(() => createEdgeNode(config as EdgeConfig, at.ports()));
    t.equal(found.code, "DROVER_CONFIG_INVALID", name);
    t.match(found.message, message, name);
    if (typeof message === "string") t.equal(found.message, message, name);
  }
  t.ok(createEdgeNode({ ...good, buses: { can0: () => createVirtualBus({ clock: at.clock }).attach() } }, at.ports()), "a function may stand for a bus");
  t.end();
});

test("ports that are not whole are refused with each that is missing and the way to have them all", (t) => {
  const at = desk();
  const good: EdgeConfig = { vehicle: `${VEHICLES}rav4-01.yaml`, data: "memory", buses: { can0: "virtual:can0" } };
  const refused = (ports: unknown): string => {
    const found = problem(() => createEdgeNode(good, ports as ReturnType<typeof at.ports>));
    t.equal(found.code, "DROVER_CONFIG_INVALID");
    return found.message;
  };
  t.match(refused({}), /the ports: the key "files" is missing \(expected an object, with read, names\)[^]*\{ \.\.\.realPorts, log \}$/);
  t.match(refused({ log: at.log }), /^the ports: the key "clock" is missing/);
  t.match(refused({ ...at.ports(), identity: { load: () => undefined } }), /^the ports: identity: a map stands here \(expected an object, with load, save\)/);
  t.match(refused(null), /^the ports: nothing stands here/);
  t.end();
});

test("every bus of the vehicle needs a source, and no other has one", (t) => {
  const at = desk();
  const base = { vehicle: `${VEHICLES}truck-01.yaml`, data: "memory" };
  at.files.set("/v/drive.log", "");
  t.match(
    problem(() => createEdgeNode({ ...base, buses: { can1: "virtual:a", can3: "virtual:b" } }, at.ports())),
    {
      code: "DROVER_CONFIG_INVALID",
      message:
        /buses\.can2: the vehicle's file has this bus.*\(expected log:FILE.*\)\nbuses\.can3: the key "can3" is not a bus of the vehicle's file \(expected one of can1, can2; did you mean "can2"\?\)$/,
    },
  );
  for (const [url, message] of [
    ["can0", /there is no scheme \(expected log:FILE/],
    ["socketcann:can0", /"socketcann" is no source of frames \(expected log:FILE, rig:SOCKET or virtual:NAME\)$/],
    ["lgo:/v/drive.log", /"lgo" is no source of frames \(expected log:FILE.*; did you mean "log"\?\)$/],
    ["__proto__:x", /"__proto__" is no source/],
    ["log:", /nothing follows "log:" \(expected log:FILE/],
    ["log:/v/drive.lgo", /there is no such file \(expected a recording; did you mean "drive.log"\?\)$/],
    ["log:/elsewhere/other.trc", /there is no such file \(expected a recording\)$/],
    ["log:x.log?rate=0", /rate=0 \(expected a number above 0\)$/],
    ["log:x.log?rate=-1", /rate=-1 \(expected a number above 0\)$/],
    ["log:x.log?rate=fast", /rate=fast/],
    ["log:x.log?loop=yes", /loop=yes \(expected true or false\)$/],
    ["log:x.log?rat=1", /"rat" is not known \(expected one of rate, loop, bus; did you mean "rate"\?\)$/],
    ["rig:x?rate=2", /"rate" is not known \(expected no options\)$/],
    ["log:/what?/x.log", /there is no such file \(expected a recording\)$/],
    ["log:/what?/x.log?rat=1", /"rat" is not known/],
    ["log:/v/drive.log??rate=2", /there is no such file/],
  ] as const)
    t.match(
      problem(() => createEdgeNode({ ...base, buses: { can1: url, can2: "virtual:b" } }, at.ports())),
      { code: "DROVER_CONFIG_INVALID", message },
      url,
    );
  t.match(
    problem(() => createEdgeNode({ ...base, buses: { can1: "lgo:a", can2: "rig:" } }, at.ports())),
    { message: /^buses\.can1: "lgo:a": .*\nbuses\.can2: "rig:": / },
    "all of them at once",
  );
  t.doesNotThrow(() => createEdgeNode({ ...base, buses: { can1: "rig:/what?/x/rig", can2: "rig:/a?b=1/c d#é" } }, at.ports()), "a folder's name may hold what begins options");
  t.end();
});

test("D3. the configuration of updates that README.md shows is one", (t) => {
  t.match(readEdgeConfig("edge.yaml", readFileSync(join(root, "test/docs/updates/edge.yaml"), "utf8")), {
    updates: { images: { url: "http://cloud.example:8080/v1/images", max_bytes: 67_108_864 }, upload_urls: { "torrent-0": "http://192.168.4.21/ota" } },
  });
  t.end();
});

test("D3. upload URLs are of modules of the vehicle's file, and addresses", (t) => {
  const at = desk();
  const images = { url: "http://cloud:8080/v1/images" };
  const start = (updates: unknown): unknown =>
    createEdgeNode({ vehicle: `${VEHICLES}trailer-01.yaml`, data: "memory", buses: { can0: "virtual:can0" }, updates } as EdgeConfig, at.ports());
  t.ok(start({ images, upload_urls: { "torrent-0": "http://[fe80::1]:80/ota" }, advertised_url: "http://esp32-{part}.local/ota" }));
  for (const [updates, message] of [
    [{}, /^updates: the key "images" is missing/],
    [{ images: {} }, /^updates\.images: the key "url" is missing \(expected http:/],
    [{ images: { url: "ftp://x" } }, /^updates\.images\.url: .*\(expected http:\/\/host:port\/v1\/images/],
    [{ images: { url: "http://user@x/" } }, /^updates\.images\.url/],
    [{ images: { ...images, max_bytes: 10 } }, /^updates\.images\.max_bytes: 10 is out of range/],
    [{ images, upload_urls: { "torrent-0": "https://x/ota" } }, /^updates\.upload_urls\.torrent-0: .*\(expected http:\/\/host:port\/path/],
    [{ images, upload_urls: { "torrent-0": "http://a:99999/ota" } }, /^updates\.upload_urls\.torrent-0: "http:\/\/a:99999\/ota" is no address/],
    [
      { images, upload_urls: { "torent-0": "http://a/ota", "no-such": "http://b/ota" } },
      /"torent-0" is not a module of the vehicle's file \(expected one of bearing, .*; did you mean "torrent-0"\?\)\nupdates\.upload_urls\.no-such: /,
    ],
    [{ images, advertised_url: "http://esp32.local/ota" }, /^updates\.advertised_url: .*\(expected http:\/\/esp32-\{part\}\.local/],
    [{ images, advertised_url: "http://esp32-{part}:x/ota" }, /^updates\.advertised_url: .* is no address/],
    [{ images, upload_url: {} }, /did you mean "upload_urls"/],
  ] as const)
    t.match(
      problem(() => start(updates)),
      { code: "DROVER_CONFIG_INVALID", message },
      JSON.stringify(updates),
    );
  t.end();
});

test("S10. images are asked for with the uplink's credential, or one of their own; another vehicle's stops the start", (t) => {
  const data = t.testdir({ credentials: {} });
  const folder = `${data}/credentials`;
  const vehicle = { tenant: "acme", vehicle: "v" };
  const made = (uplink: EdgeConfig["uplink"], more: object = {}): unknown =>
    realPorts.updates?.({ data, config: { images: { url: "http://cloud/v1/images", ...more } }, uplink, node: "edge-v", vehicle }, realPorts);
  const uplink = { url: "mqtt://127.0.0.1:1", credentials: folder };
  t.match(
    problem(() => made(uplink)),
    { code: "DROVER_CONFIG_INVALID", message: /^uplink\.credentials: .*no credential of the node edge-v/ },
  );
  t.match(
    problem(() => made(undefined, { credentials: folder })),
    { message: /^updates\.images\.credentials: / },
  );
  t.match(
    problem(() => made(undefined, { url: "http://a:99999/x" })),
    { message: /^updates\.images\.url: .* is no address/ },
  );
  nodeCredential(folder, "edge-v", { kind: "vehicle", tenant: "acme", vehicle: "v" });
  t.ok(made(uplink));
  t.ok(made(undefined, { username: "u", password: "p" }));
  t.ok(made(undefined));
  t.end();
});

test("S10. A credential of another vehicle under this node's name, or none, stops the start with the way to one", (t) => {
  const folder = t.testdir();
  const uplink = { url: "mqtt://127.0.0.1:1", credentials: folder };
  const link = (tenant: string): unknown => problem(() => realPorts.transport(uplink, "edge-v", { tenant, vehicle: "v" }, realPorts));
  t.match(link("acme"), {
    code: "DROVER_CONFIG_INVALID",
    message: /holds no credential of the node edge-v: `drover enroll acme\/vehicle\/v --node NAME` makes one, and `node: NAME`/,
  });
  nodeCredential(folder, "box", { kind: "vehicle", tenant: "acme", vehicle: "v" });
  t.match(link("acme"), { message: /no credential of the node edge-v \(there are those of box\)/ });
  nodeCredential(folder, "edge-v", { kind: "vehicle", tenant: "acme", vehicle: "v" });
  t.doesNotThrow(() => realPorts.transport(uplink, "edge-v", { tenant: "acme", vehicle: "v" }, realPorts));
  t.match(link("other"), { code: "DROVER_CONFIG_INVALID", message: /is that of acme\/vehicle\/v, not of other\/vehicle\/v: `drover enroll other\/vehicle\/v/ });
  t.end();
});

test("D2. A vehicle file that is wrong stops the start with every problem and its place", (t) => {
  const at = desk();
  at.files.set("/v/car.yaml", "vehicle: demo/vehicle/car\nmodel: saloon@1\n");
  const start = (): unknown => createEdgeNode({ vehicle: "/v/car.yaml", data: "memory", buses: { can0: "virtual:can0" } }, at.ports());
  t.match(problem(start), { code: "DROVER_CONFIG_INVALID", position: { file: "/v/car.yaml", line: 2 }, message: /no file "saloon@1.yaml" or "saloon.yaml"/ });
  at.files.set("/v/car.yaml", "vehicle: demo/vehicle/car\nmodel: model@1\n");
  at.files.set("/v/model.yaml", "model: model\nversion: 1\nbuses: { can0: { dbc: no.dbc } }\nsignals: { A: { from: can0.B.C } }\nspeeds: {}\n");
  t.match(problem(start), { message: /\/v\/model\.yaml:3:.*no\.dbc[^]*\/v\/model\.yaml:5:1: speeds/ });
  at.files.set("/v/bad.dbc", 'VERSION ""\nBO_ x y z\n');
  at.files.set("/v/model.yaml", "model: model\nversion: 1\nbuses: { can0: { dbc: bad.dbc } }\n");
  t.match(problem(start), { code: "DROVER_CONFIG_INVALID", message: /bad\.dbc/ });
  t.match(
    problem(() => createEdgeNode({ vehicle: "/v/none.yaml", data: "memory", buses: {} }, at.ports())),
    { message: /\/v\/none\.yaml:1:1: there is no such file/ },
  );
  t.match(
    problem(() => createEdgeNode({ vehicle: "/v/modle.yaml", data: "memory", buses: {} }, at.ports())),
    { message: /there is no such file .*did you mean "model\.yaml"/ },
  );
  t.match(
    problem(() => createEdgeNode({ vehicle: `${VEHICLES}toyota-rav4.yaml`, data: "memory", buses: {} }, at.ports())),
    { message: /describes the model "toyota-rav4", not one vehicle/ },
  );
  t.end();
});

test("a vehicle of a DBC and a few lines runs", async (t) => {
  const at = desk();
  at.files.set("/v/car.dbc", 'VERSION ""\nBU_: E\nBO_ 100 Motion: 8 E\n SG_ Speed : 0|16@1+ (0.01,0) [0|300] "km/h" X\n');
  at.files.set("/v/car.yaml", "vehicle: me/vehicle/car\nmodel: mine@1\n");
  at.files.set("/v/mine.yaml", "model: mine\nversion: 1\nbuses: { can0: { dbc: car.dbc } }\nsignals: { Vehicle.Speed: { from: can0.Motion.Speed } }\n");
  const bus = createVirtualBus({ clock: at.clock });
  const node = createEdgeNode({ vehicle: "/v/car.yaml", data: "memory", buses: { can0: () => bus.attach({ mode: "listen-only" }) } }, at.ports());
  await node.start();
  bus.inject([{ id: 100, data: Uint8Array.of(0x10, 0x27, 0, 0, 0, 0, 0, 0) }]);
  await at.clock.advance(200);
  t.match(node.signals.signals("me/vehicle/car"), [{ name: "Vehicle.Speed", value: 100, unit: "km/h", quality: "good", simulated: false }]);
  t.match(node.system.read(node.vehicle)?.state, { motion: "moving" });
  await node.stop();
});
