// What the package is: its folders, its lock file, its one file for users.

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { root, textOf } from "./checkout.ts";

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface PackageFile {
  readonly license: string;
  readonly type: string;
  readonly scripts: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
}

const ROOMS = ["actors", "bench", "cli", "cloud-node", "deploy", "edge-node", "protocols", "runtime", "test"];

const tracked = (): readonly string[] => execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" }).split("\0").filter(Boolean);

test("the composition of a vehicle's node and of a cloud node can be read in one go: under 200 lines each", (t) => {
  for (const file of ["edge-node/edge-node.ts", "cloud-node/cloud-node.ts"]) {
    const lines = textOf(file).trimEnd().split("\n").length;
    t.ok(lines < 200, `${file} has ${String(lines)}`);
  }
  t.end();
});

test("the top-level folders are the nine rooms", { skip: existsSync(join(root, ".git")) ? false : "needs a git checkout" }, (t) => {
  const folders = new Set(tracked().flatMap((path) => (path.includes("/") && !path.startsWith(".") ? [path.slice(0, path.indexOf("/"))] : [])));
  t.same(
    [...folders].filter((folder) => !ROOMS.includes(folder)),
    [],
    "no tenth folder",
  );
  t.same(
    ROOMS.filter((room) => !existsSync(join(root, room))),
    [],
    "every room stands",
  );
  t.end();
});

test("no file is larger than a reader or a clone should bear", { skip: existsSync(join(root, ".git")) ? false : "needs a git checkout" }, (t) => {
  const large = tracked().filter((path) => existsSync(join(root, path)) && statSync(join(root, path)).size > 4 * 1024 * 1024);
  t.same(large, []);
  t.end();
});

test("the lock file names no host and every platform's packages", (t) => {
  const { packages } = JSON.parse(textOf("package-lock.json")) as { readonly packages: Readonly<Record<string, Locked>> };
  const entries = Object.entries(packages).filter(([path]) => path !== "");
  t.same(
    entries.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path),
    [],
    "packages come from whatever registry the machine is set to",
  );
  t.same(
    entries.filter(([, { integrity, optional }]) => integrity === undefined && optional !== true).map(([path]) => path),
    [],
    "what is installed everywhere is checked by its digest",
  );
  const left = entries.flatMap(([path, { optionalDependencies }]) =>
    Object.keys(optionalDependencies ?? {}).filter((name) => !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages)),
  );
  t.same(left, [], "npm ci refuses a lock file without them: node .ci/lock-platforms.mjs");
  t.end();
});

test("the package is ESM under the MIT licence, and each step of the check has its own script", (t) => {
  const { license, type, scripts } = JSON.parse(textOf("package.json")) as PackageFile;
  t.equal(type, "module");
  t.equal(license, "MIT");
  t.match(textOf("LICENSE"), /MIT License\n\nCopyright \(c\) 2026 the Drover authors\n/);
  const steps = Object.keys(scripts).filter((name) => name.startsWith("check:"));
  t.same(steps, ["check:format", "check:lint", "check:types", "check:arrows", "check:unused", "check:tests"]);
  for (const step of steps) t.ok(scripts["check"]?.includes(`npm run -s ${step}`), `npm run check runs ${step}`);
  t.end();
});

test("the file for users holds what runs, and nothing of tests or benches", (t) => {
  // Without its scripts: the build that this test runs in is not to be made anew under the other tests.
  const said = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const paths = packedPaths(JSON.parse(said));
  t.ok(paths.includes("package.json") && paths.includes("LICENSE"), "package.json and LICENSE");
  t.same(
    paths.filter((path) => /^dist\/(test|bench)\/|\.test\.|\.ts$|tsbuildinfo|compiled-of|\.map$/.test(path) && !path.endsWith(".d.ts")),
    [],
    "no tests, benches, sources or build files",
  );
  t.same(
    paths.filter((path) => !/^(dist\/|package\.json$|README\.md$|LICENSE$|CHANGELOG\.md$)/.test(path)),
    [],
    "nothing from outside dist",
  );
  t.end();
});

test("every door in package.json stands for a room", (t) => {
  const { exports } = JSON.parse(textOf("package.json")) as PackageFile;
  t.same(Object.keys(exports), ["./runtime", "./simulation", "./eslint", "./actors", "./edge-node", "./cloud-node", "./protocols/*", "./package.json"]);
  for (const [door, target] of Object.entries(exports)) {
    if (typeof target === "string") continue;
    t.equal(target.default.replace(/\.js$/, ".d.ts"), target.types, `${door} has its types beside it`);
    const source = target.default.replace(/^\.\/dist\//, "").replace(/\.js$/, ".ts");
    const rooms = source.includes("*") ? readdirSync(join(root, source.slice(0, source.indexOf("*")))).map((room) => source.replace("*", room)) : [source];
    for (const room of rooms) t.ok(existsSync(join(root, room)), `${door} opens ${room}`);
  }
  t.end();
});

/** npm 10 answers with a list, npm 11 and later may answer with an object by package name. */
function packedPaths(answer: unknown): readonly string[] {
  const [first] = Object.values(answer as Readonly<Record<string, { readonly files: readonly { readonly path: string }[] }>>);
  return first?.files.map(({ path }) => path) ?? [];
}
