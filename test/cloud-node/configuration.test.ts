// What a cloud node that is embedded says to a configuration that is wrong: by the same walk as for a file, before anything is opened.

import { test } from "tap";
import { type CloudConfig, type CloudPorts, createCloudNode, realPorts } from "../../cloud-node/index.ts";
import type { DroverError } from "../../runtime/index.ts";

/** The real ones; none may be used. */
const closed: CloudPorts = {
  ...realPorts,
  store: () => {
    throw new Error("the store was opened");
  },
};

function problem(config: unknown): Pick<DroverError, "name" | "code" | "message"> {
  try {
    createCloudNode(config as CloudConfig, closed);
  } catch (error) {
    return error as DroverError;
  }
  throw new Error("nothing was wrong");
}

class Settings {
  readonly data = "d";
}

const circle: Record<string, unknown> = { data: "d" };
circle["http"] = circle;

const CASES: readonly (readonly [name: string, config: unknown, message: string | RegExp])[] = [
  ["nothing", undefined, "the configuration: nothing stands here (expected keys and values, at least data)"],
  ["null", null, "the configuration: nothing stands here (expected keys and values, at least data)"],
  ["a text", "data", 'the configuration: the text "data" stands here (expected keys and values, at least data)'],
  ["a number", 8080, "the configuration: the number 8080 stands here (expected keys and values, at least data)"],
  ["a list", [], "the configuration: a list stands here (expected keys and values, at least data)"],
  ["a function", () => ({ data: "d" }), "the configuration: a function stands here (expected keys and values, at least data)"],
  ["a map", new Map([["data", "d"]]), "the configuration: an object of the class Map stands here (expected keys and values, at least data)"],
  ["no key at all", {}, 'the configuration: the key "data" is missing (expected a folder)'],
  ["an unknown key", { data: "d", zenoh: {} }, 'zenoh: the key "zenoh" is not known here (expected one of node, data, http, versions, services, images, broker)'],
  [
    "a misspelt key",
    { data: "d", htttp: { port: 1 } },
    'htttp: the key "htttp" is not known here (expected one of node, data, http, versions, services, images, broker; did you mean "http"?)',
  ],
  ["a misspelt key below", { data: "d", http: { prot: 1 } }, 'http.prot: the key "prot" is not known here (expected one of host, port; did you mean "port"?)'],
  ["a key of an external broker", { data: "d", broker: { url: "mqtt://h", usernme: "u" } }, /^broker\.usernme: .*did you mean "username"\?\)$/],
  ["a key of both brokers", { data: "d", broker: { url: "mqtt://h", port: 1 } }, 'broker.port: the key "port" is not known here (expected one of url, username, password)'],
  ["another protocol", { data: "d", broker: { url: "http://h" } }, /^broker\.url: "http:\/\/h" stands here /],
  ["a text for a port", { data: "d", http: { port: "8080" } }, 'http.port: the text "8080" stands here (expected a whole number from 0 to 65535)'],
  ["a port that is none", { data: "d", http: { port: 70_000 } }, "http.port: 70000 is out of range (expected a whole number from 0 to 65535)"],
  ["no number", { data: "d", http: { port: Number.NaN } }, "http.port: the number NaN stands here (expected a whole number from 0 to 65535)"],
  ["a large integer", { data: "d", http: { port: 8080n } }, "http.port: a bigint stands here (expected a whole number from 0 to 65535)"],
  ["null for a map", { data: "d", http: null }, "http: nothing stands here (expected keys and values)"],
  [
    "a list for a map",
    { data: "d", broker: [] },
    /^broker: a list stands here \(expected host and port of the embedded broker, or url, username and password of an external one\)$/,
  ],
  ["a class for a map", { data: "d", http: new Settings() }, "http: an object of the class Settings stands here (expected keys and values)"],
  ["an object that contains itself", circle, /^http\.data: the key "data" is not known here .*\nhttp\.http: the key "http" is not known here /],
  ["a name with a space", { data: "d", node: "cloud 1" }, /^node: "cloud 1" stands here /],
  ["a prototype", JSON.parse('{"data":"d","__proto__":{"port":1}}'), /^__proto__: the key "__proto__" is not known here /],
  [
    "a service's key",
    { data: "d", services: { vision: { comand: "x" } } },
    /^services\.vision\.comand: .*did you mean "command"\?\)\nservices\.vision: the key "command" is missing/,
  ],
  ["a function inside", { data: "d", services: { vision: { command: () => "x" } } }, "services.vision.command: a function stands here (expected a program's path or name)"],
  ["several at once", { htttp: 1, node: 1 }, /^htttp: .*\nnode: .*\nthe configuration: the key "data" is missing/],
];

test("D2. A configuration in code that is wrong is refused with the key, what was expected, and the key that was meant", (t) => {
  for (const [name, config, message] of CASES) {
    const found = problem(config);
    t.match(found, { name: "DroverError", code: "DROVER_CONFIG_INVALID" }, name);
    if (typeof message === "string") t.equal(found.message, message, name);
    else t.match(found.message, message, name);
  }
  t.end();
});

test("ports that are not whole are refused with each that is missing and the way to have them all", (t) => {
  const refused = (ports: unknown): string => {
    try {
      createCloudNode({ data: "d" }, ports as CloudPorts);
    } catch (error) {
      t.match(error, { name: "DroverError", code: "DROVER_CONFIG_INVALID" });
      return (error as DroverError).message;
    }
    throw new Error("nothing was wrong");
  };
  const { log } = realPorts;
  t.match(refused({}), /^the ports: the key "clock" is missing \(expected a clock[^]*the key "store" is missing \(expected a function\)[^]*\{ \.\.\.realPorts, log \}$/);
  t.match(refused({ log }), /^the ports: the key "clock" is missing/);
  t.equal(refused({ ...closed, store: undefined }).split("\n")[0], 'the ports: the key "store" is missing (expected a function)');
  t.equal(refused({ ...closed, log: {} }).split("\n")[0], "the ports: log: a map stands here (expected a log, with debug, info, warn, error, child)");
  t.match(refused({ ...closed, stores: log }), /^the ports: stores: .*did you mean "store"\?/);
  t.match(refused(null), /^the ports: nothing stands here/);
  t.end();
});

test("a key whose value is undefined is one that is not there", (t) => {
  t.throws(() => createCloudNode({ data: "d", http: undefined, broker: { host: undefined } } as never, closed), { message: "the store was opened" });
  t.throws(() => createCloudNode({ data: undefined } as never, closed), { code: "DROVER_CONFIG_INVALID", message: /"data" is missing/ });
  t.end();
});

test("the secret in the URL of an external broker is not in what the node tells of it", (t) => {
  const { urls } = createCloudNode({ data: t.testdir(), broker: { url: "mqtt://u:Sup3rSecret@127.0.0.1:49990" } });
  t.equal(urls.broker, "mqtt://127.0.0.1:49990");
  t.equal(createCloudNode({ data: t.testdir(), broker: { url: "mqtt://127.0.0.1:49990" } }).urls.broker, "mqtt://127.0.0.1:49990");
  t.end();
});
