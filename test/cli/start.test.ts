// `drover start` and the process of the command itself: signals, pipes, exit codes.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import tap, { test, type Test } from "tap";
import { root } from "../project/checkout.ts";
import { type Captured, cleanEnvironment, drover, scratch } from "./captured.ts";

/** Real processes and disks, on a machine that may be busy with other tests. */
tap.setTimeout(150_000);

const MAIN = fileURLToPath(new URL("../../cli/main.js", import.meta.url));

interface Started {
  readonly said: { out: string; err: string };
  /** Resolves at the first line on standard output. */
  readonly firstLine: Promise<string>;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  kill(signal: NodeJS.Signals): void;
  stopReading(): void;
  /** To its standard input, which stays open; resolves when it was taken. */
  feed(text: string): Promise<void>;
}

function start(t: Test, argv: readonly string[], env: Readonly<Record<string, string>> = {}, cwd = root): Started {
  const child = spawn(process.execPath, [MAIN, ...argv], { cwd, env: cleanEnvironment(env), stdio: ["pipe", "pipe", "pipe"] });
  t.teardown(() => child.kill("SIGKILL"));
  const said = { out: "", err: "" };
  child.stderr.on("data", (chunk: Buffer) => (said.err += chunk.toString()));
  const ended = once(child, "close").then(([code, signal]) => ({ code: code as number | null, signal: signal as NodeJS.Signals | null }));
  const firstLine = new Promise<string>((resolve, reject) => {
    child.stdout.on("data", (chunk: Buffer) => {
      said.out += chunk.toString();
      if (said.out.includes("\n")) resolve(said.out.split("\n")[0] ?? "");
    });
    void ended.then(() => {
      reject(new Error(`it ended without a line: ${said.err}`));
    });
  });
  return {
    said,
    firstLine,
    ended,
    kill: (signal) => child.kill(signal),
    stopReading: () => child.stdout.destroy(),
    feed: (text) =>
      new Promise((resolve) =>
        child.stdin.write(text, () => {
          resolve();
        }),
      ),
  };
}

test("S6. a node whose data folder takes no endpoint.json, as on a full disk, runs all the same and says what commands need", async (t) => {
  const data = scratch(t);
  mkdirSync(join(data, "endpoint.json", "in-the-way"), { recursive: true });
  const run = await startedAndEnded(["start", "cloud"], root, { DROVER_DATA: data, DROVER_HTTP_PORT: "0", DROVER_BROKER_PORT: "0" });
  t.match(run.out, /^page and API {2}http:/);
  t.match(run, { code: 0 });
  t.match(run.err, /endpoint\.json could not be written, so that commands on this machine need --url http:/);
  t.same(
    readdirSync(data).filter((name) => name.endsWith(".new")),
    [],
  );
});

test("start cloud says where it listens, is found by other commands, and ends in order on SIGTERM", async (t) => {
  const data = scratch(t);
  const env = { DROVER_DATA: data, DROVER_HTTP_PORT: "0", DROVER_BROKER_PORT: "0", DROVER_HTTP_PRT: "1" };
  const cloud = start(t, ["start", "cloud", "--json"], env);
  t.match(JSON.parse(await cloud.firstLine), {
    event: "listening",
    http: /^http:\/\/127\.0\.0\.1:\d+$/,
    broker: /^mqtt:\/\/127\.0\.0\.1:\d+$/,
    tokenFile: join(data, "api-token"),
  });
  t.equal(statSync(join(data, "api-token")).mode & 0o777, 0o600, "the token is its owner's alone");
  t.match(await drover(["nodes", "ls"], { env: { DROVER_DATA: data } }), { code: 0, out: /cloud-1/ });
  t.match(await drover(["start", "cloud"], { env }), { code: 5 }, "a second one on the same data is refused");
  cloud.kill("SIGTERM");
  t.same(await cloud.ended, { code: 0, signal: null }, cloud.said.err);
  t.match(cloud.said.err, /DROVER_HTTP_PRT is not known; did you mean DROVER_HTTP_PORT\?/);
  t.notOk(existsSync(join(data, "endpoint.json")));
});

test("start edge runs a vehicle with no cloud, and ends in order on SIGINT", async (t) => {
  const data = scratch(t);
  const edge = start(t, ["start", "edge", "--config", "edge.yaml", "--set", `data=${data}`, "--set", "http.port=0", "--json"], {}, join(root, "test/docs/own-vehicle"));
  t.match(JSON.parse(await edge.firstLine), { event: "running", vehicle: "acme/vehicle/my-car", http: /^http:\/\/127\.0\.0\.1:\d+$/ }, edge.said.err);
  t.match(await drover(["actors", "ls", "--kind", "vehicle"], { env: { DROVER_DATA: data } }), { code: 0, out: /acme\/vehicle\/my-car/ }, "its own API answers on loopback");
  edge.kill("SIGINT");
  t.same(await edge.ended, { code: 0, signal: null }, edge.said.err);
});

test("S10. both kinds of node show the token of their first admin at their first start, and never again", async (t) => {
  for (const kind of ["edge", "cloud"]) {
    const data = scratch(t);
    const argv =
      kind === "edge" ? ["--config", "edge.yaml", "--set", `data=${data}`, "--set", "http.port=0"] : ["--set", `data=${data}`, "--set", "http.port=0", "--set", "broker.port=0"];
    const said: string[] = [];
    for (const _ of ["first", "second"]) {
      const node = await startedAndEnded(["start", kind, ...argv], join(root, "test/docs/own-vehicle"));
      t.equal(node.code, 0, node.err);
      said.push(`${node.out}${node.err}`);
    }
    const token = readFileSync(join(data, "api-token"), "utf8").trim();
    t.match(said[0], `token         in ${data}/api-token; shown once: ${token}\n`, kind);
    t.equal(said[0]?.split(token).length, 2, `${kind}: once, and not in its log`);
    t.match(said[1], `token         in ${data}/api-token\n`, kind);
    t.notMatch(said[1], token, kind);
    // L1.
    rmSync(join(data, "api-token"));
    const gone = await startedAndEnded(["start", kind, ...argv], join(root, "test/docs/own-vehicle"));
    t.match(gone.out, `token         not in ${data}/api-token, which is gone: `, kind);
    t.match(gone.out, `delete ${data}/tokens.json (all its tokens end), and start it again\n`, kind);
    t.notOk(existsSync(join(data, "api-token")), kind);
    rmSync(join(data, "tokens.json"));
    const anew = await startedAndEnded(["start", kind, ...argv], join(root, "test/docs/own-vehicle"));
    t.match(anew.out, `token         in ${data}/api-token; shown once: ${readFileSync(join(data, "api-token"), "utf8").trim()}\n`, kind);
    t.not(readFileSync(join(data, "api-token"), "utf8").trim(), token, kind);
  }
});

test("an address that this machine has not got is told with its place, by both kinds of node", async (t) => {
  for (const kind of ["edge", "cloud"]) {
    const data = scratch(t);
    if (kind === "edge") cpSync(join(root, "test/docs/own-vehicle"), data, { recursive: true });
    const common = kind === "edge" ? 'vehicle: my-car.yaml\ndata: data\nbuses: { can0: "virtual:x" }\n' : "data: data\nnode: c\nbroker: { port: 0 }\n";
    writeFileSync(join(data, "node.yaml"), `${common}http: { host: 300.1.1.1, port: 0 }\n`);
    const inFile = await refused(t, kind, data, {}, kind === "edge");
    t.equal(inFile.code, 3, kind);
    t.match(inFile.err, "\n  node.yaml:4:15: http.host: this machine has no address 300.1.1.1", kind);
    const inVariable = await refused(t, kind, data, { DROVER_HTTP_HOST: "300.1.1.2" });
    t.equal(inVariable.code, 3, kind);
    t.match(inVariable.err, "\n  DROVER_HTTP_HOST: http.host: this machine has no address 300.1.1.2", kind);
  }
});

test("a place where no data folder can be, and a broker's address that this machine has not got, end the start at once with their place", async (t) => {
  const folder = scratch(t);
  cpSync(join(root, "test/docs/own-vehicle"), folder, { recursive: true });
  for (const [kind, text, message] of [
    ["edge", 'vehicle: my-car.yaml\ndata: /proc/drover\nbuses: { can0: "virtual:x" }\n', /node\.yaml:2:7: data: the folder \/proc\/drover cannot be made or used/],
    ["cloud", "data: data\nhttp: { port: 0 }\nbroker: { host: 300.1.1.1, port: 0 }\n", /node\.yaml:3:17: broker\.host: this machine has no address 300\.1\.1\.1/],
  ] as const) {
    writeFileSync(join(folder, "node.yaml"), text);
    const { code, err } = await refused(t, kind, folder, {}, kind === "cloud");
    t.equal(code, 3, kind);
    t.match(err, message, kind);
  }
});

/** How a start by `node.yaml` in `cwd` ends that never listens. In a process of its own once of each kind, since nothing that has begun may keep it; else in this one, which stands in `cwd` meanwhile. */
async function refused(
  t: Test,
  kind: string,
  cwd: string,
  env: Readonly<Record<string, string>>,
  isProcess = false,
): Promise<{ readonly code: number | null; readonly err: string }> {
  const argv = ["start", kind, "--config", "node.yaml"];
  if (isProcess) {
    const node = start(t, argv, env, cwd);
    node.firstLine.catch(() => undefined);
    const { code } = await node.ended;
    return { code, err: node.said.err };
  }
  return standingIn(cwd, () => drover(argv, { env }));
}

/** In this process, until its first word: then it is told to end as by a signal. */
function startedAndEnded(argv: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): Promise<Captured> {
  const ending = new AbortController();
  return standingIn(cwd, () =>
    drover(argv, {
      env,
      interrupt: ending.signal,
      onOut: () => {
        ending.abort();
      },
    }),
  );
}

async function standingIn<T>(cwd: string, work: () => Promise<T>): Promise<T> {
  const before = process.cwd();
  process.chdir(cwd);
  try {
    return await work();
  } finally {
    process.chdir(before);
  }
}

test("a reader that has left ends the command quietly", async (t) => {
  const decode = start(t, [
    "can",
    "decode",
    "--dbc",
    join(root, "cli/demo/data/opendbc_toyota_rav4_2017_pt_generated.dbc"),
    "--log",
    join(root, "cli/demo/data/comma2k19_rav4_60s.log.gz"),
  ]);
  await decode.firstLine;
  decode.stopReading();
  t.same(await decode.ended, { code: 0, signal: null });
  t.notMatch(decode.said.err, /EPIPE|\n +at /, "what is told of the database may stand there, no failure");
});

test("Ctrl-C ends a command that has begun nothing where it stands, with exit code 130", async (t) => {
  // Standard input that never comes.
  const decode = start(t, ["can", "decode", "--dbc", join(root, "cli/demo/data/opendbc_toyota_rav4_2017_pt_generated.dbc"), "--log", "-"]);
  decode.firstLine.catch(() => undefined);
  await decode.feed("(0.000000) can0 0B4#0000000000000000\n".repeat(20_000));
  decode.kill("SIGINT");
  t.same(await decode.ended, { code: 130, signal: null }, decode.said.err);
});
