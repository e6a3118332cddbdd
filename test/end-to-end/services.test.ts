// Services that a node's configuration lists: any program, run and supervised by the node, seen over its API, in its log, and gone with it.

import { spawn } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import tap, { test, type Test } from "tap";
import type { TreeNode } from "../../runtime/index.ts";
import { cleanEnvironment, drover, scratch } from "../cli/captured.ts";
import { root } from "../project/checkout.ts";
import { gone } from "../runtime/workers/listening.ts";
import { until } from "./until.ts";

tap.setTimeout(90_000);

const MAIN = fileURLToPath(new URL("../../cli/main.js", import.meta.url));

const DOCS = join(root, "test/docs/services");
const FAILING = `  absent: { command: no-such-program-at-all }
  failing: { command: sh, args: [-c, "echo last words >&2; exit 7"] }
`;

interface Node {
  readonly said: () => string;
  service(name: string): Promise<TreeNode | undefined>;
  kill(signal: NodeJS.Signals): Promise<void>;
}

async function nodeOf(t: Test, kind: "edge" | "cloud"): Promise<Node> {
  const folder = scratch(t);
  cpSync(join(root, "test/docs/own-vehicle"), folder, { recursive: true });
  cpSync(join(DOCS, "own-program"), join(folder, "work/own-program"));
  const own = kind === "edge" ? 'vehicle: my-car.yaml\nbuses: { can0: "virtual:x" }\n' : "broker: { port: 0 }\n";
  writeFileSync(join(folder, "node.yaml"), `data: data\nhttp: { port: 0 }\n${own}${readFileSync(join(DOCS, "node.yaml"), "utf8")}${FAILING}`);
  const child = spawn(process.execPath, [MAIN, "start", kind, "--config", "node.yaml", "--json"], { cwd: folder, env: cleanEnvironment({}), stdio: ["ignore", "pipe", "pipe"] });
  t.teardown(() => child.kill("SIGKILL"));
  let said = "";
  const ended = new Promise((resolve) => child.on("close", resolve));
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  await new Promise((resolve, reject) => {
    child.stdout.once("data", resolve);
    void ended.then(() => {
      reject(new Error(said));
    });
  });
  return {
    said: () => said,
    service: async (name) => {
      const { out } = await drover(["tree", "--json"], { env: { DROVER_DATA: join(folder, "data") } });
      const { items } = JSON.parse(out) as { readonly items: readonly { readonly tree: TreeNode }[] };
      return items[0]?.tree.children.find(({ id }) => id === "services")?.children.find(({ id }) => id === name);
    },
    kill: async (signal) => {
      child.kill(signal);
      await ended;
    },
  };
}

for (const kind of ["edge", "cloud"] as const)
  test(`S4. a program that the configuration of a node (${kind}) lists runs, is restarted after a kill, and says why in the tree and in the log`, async (t) => {
    const node = await nodeOf(t, kind);
    const first = await node.service("steady");
    t.match(first, { kind: "service", state: "running", restarts: 0, isolation: "process", pid: Number });
    t.match(node.said(), /"child":"(edge|cloud)\/services\/steady".*"msg":"it runs in \/.*\/work with day"/, "its lines are in the log");
    t.match(await node.service("own"), { state: "running" }, "a path counts from the file's folder");
    const below = Number(/below (\d+)/.exec(node.said())?.[1]);

    process.kill(first?.pid ?? 0, "SIGKILL");
    await until("it runs again", 10_000, async () => {
      const now = await node.service("steady");
      return now?.restarts === 1 && now.state === "running";
    });
    await gone(below);
    t.match(await node.service("steady"), { lastExit: { reason: "failed", cause: { kind: "signal", signal: "SIGKILL" }, error: /ended by SIGKILL/ } });

    await until("the failing one was tried again", 10_000, async () => ((await node.service("failing"))?.restarts ?? 0) >= 2);
    t.match(await node.service("failing"), { lastExit: { cause: { kind: "exit-code", code: 7 } } });
    t.match(node.said(), /"msg":"last words"/);
    t.match(await node.service("absent"), { lastExit: { cause: { kind: "cannot-run", detail: /no command "no-such-program-at-all" along PATH/ } } });

    const last = await node.service("steady");
    const again = Number([...node.said().matchAll(/below (\d+)/g)].at(-1)?.[1]);
    if (kind === "edge") await node.kill("SIGKILL");
    else await node.kill("SIGTERM");
    await Promise.all([gone(last?.pid ?? 0), gone(again)]);
  });

test("D2. a service that a schema cannot refuse is refused with its place", async (t) => {
  const folder = scratch(t);
  writeFileSync(join(folder, "node.yaml"), 'data: data\nservices:\n  one:\n    command: "true"\n    ready: { line: "(" }\n');
  const { code, err } = await drover(["start", "cloud", "--config", join(folder, "node.yaml"), "--set", "http.port=0", "--set", "broker.port=0"]);
  t.equal(code, 3);
  t.match(err, /node\.yaml:4:5: services\.one: a program: ready\.line: .*Invalid regular expression/);
});
