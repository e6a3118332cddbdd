// Compiles the sources, copies what is not TypeScript beside the result, removes what no longer has a source, and bundles what would make each start slow. Usage: node .ci/build.mjs [outDir], default dist.
//
// What was compiled without a complaint of the same sources, settings and packages is not compiled again: to find that nothing has changed takes the compiler seconds.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle, isCurrent } from "./bundle.mjs";
import { bundleTap } from "./bundle-tap.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const outDir = process.argv[2] ?? "dist";
if (outDir.startsWith("-")) {
  console.error(`build: there is no option ${outDir}; usage: node .ci/build.mjs [outDir]`);
  process.exit(2);
}
const out = resolve(root, outDir);
const rooms = ["runtime", "actors", "edge-node", "cloud-node", "protocols", "cli", "bench", "test"];

let tsc;
try {
  tsc = createRequire(join(root, "package.json")).resolve("typescript/bin/tsc");
} catch {
  console.error("build: typescript is not installed (npm ci without --omit=dev installs it); nothing was built");
  process.exit(0);
}
const buildInfo = join(out, ".tsbuildinfo");
const stamp = join(out, ".compiled-of");
const sources = digestOfSources();
if (!isCurrent(root, out)) rmSync(buildInfo, { force: true });
const isCompiled = existsSync(buildInfo) && existsSync(stamp) && readFileSync(stamp, "utf8") === sources;
if (!isCompiled) rmSync(stamp, { force: true });
const { status } = isCompiled
  ? { status: 0 }
  : spawnSync(process.execPath, [tsc, "-p", join(root, "tsconfig.json"), "--outDir", out, "--tsBuildInfoFile", buildInfo], { stdio: "inherit" });

/** Of all that decides what the compiler says and writes. */
function digestOfSources() {
  const hash = createHash("sha256");
  const add = (path) =>
    hash
      .update(`${path}\0`)
      .update(existsSync(join(root, path)) ? readFileSync(join(root, path)) : "")
      .update("\0");
  for (const path of ["tsconfig.json", "package.json", "node_modules/.package-lock.json", ".ci/build.mjs", ".ci/bundle.mjs"]) add(path);
  const found = rooms.flatMap((room) =>
    existsSync(join(root, room)) ? readdirSync(join(root, room), { recursive: true }).flatMap((name) => (/\.(ts|json)$/.test(name) ? [join(room, name)] : [])) : [],
  );
  for (const path of found.sort()) add(path);
  return hash.digest("hex");
}

function copyAssets(from, to) {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (entry.isDirectory()) copyAssets(join(from, entry.name), join(to, entry.name));
    else if (!/\.c?ts$/.test(entry.name)) {
      mkdirSync(to, { recursive: true });
      copyFileSync(join(from, entry.name), join(to, entry.name));
    }
  }
}
/** A test or an asset that was deleted or renamed must not go on running from the last build. */
function removeOrphans(built, source) {
  for (const entry of readdirSync(built, { withFileTypes: true })) {
    if (entry.name === "node_modules") continue;
    const from = join(source, entry.name.replace(/(?:\.d\.(c?)ts|\.(c?)js(?:\.map)?)$/, ".$1$2ts"));
    if (!existsSync(from) && !existsSync(join(source, entry.name))) rmSync(join(built, entry.name), { recursive: true, force: true });
    else if (entry.isDirectory()) removeOrphans(join(built, entry.name), join(source, entry.name));
  }
}

for (const room of rooms) {
  if (existsSync(join(root, room))) copyAssets(join(root, room), join(out, room));
  if (existsSync(join(out, room))) removeOrphans(join(out, room), join(root, room));
}
if (status === 0) {
  if (!isCompiled) await bundle(root, out, rooms);
  await bundleTap(root, join(out, "test"));
  writeFileSync(stamp, sources);
}
const bin = join(out, "cli/main.js");
if (existsSync(bin)) chmodSync(bin, 0o755);
process.exit(status ?? 1);
