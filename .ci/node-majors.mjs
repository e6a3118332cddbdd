// The Node releases on which the corpus of journals is replayed (test/replay-corpus; rules R2): one of each major with long-term support from that of package.json's `engines` on.
//
// They are npm's packages of Node's own binaries. Each is kept in the user's cache, outside of the checkout, as a folder of its version: what is there is not fetched again.
//
// Usage: node .ci/node-majors.mjs     fetches what is missing; exit 1 when one could not be had
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** Raised by hand: what is replayed is the same on every machine. */
export const RELEASES = ["20.20.2", "22.23.3", "24.21.0", "26.10.0"];

/** @returns the Node of each release, in their order; undefined where it is not on this machine */
export function nodes() {
  return RELEASES.map((version) => {
    if (process.version === `v${version}`) return { version, node: process.execPath };
    const file = fileOf(version);
    return { version, node: existsSync(file) ? file : undefined };
  });
}

function cache() {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "drover", "node");
}

function fileOf(version) {
  return join(cache(), version, "node");
}

function fetched(version) {
  mkdirSync(cache(), { recursive: true });
  const folder = mkdtempSync(join(cache(), ".fetching-"));
  try {
    const name = `node-${process.platform}-${process.arch}`;
    const args = ["install", "--prefix", folder, "--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", `${name}@${version}`];
    const { status, stderr } = spawnSync("npm", args, { encoding: "utf8", timeout: 180_000 });
    if (status !== 0) return stderr.trim().split("\n").at(-1) ?? "npm install failed";
    const binary = join(folder, "node_modules", name, "bin", "node");
    const { stdout } = spawnSync(binary, ["--version"], { encoding: "utf8" });
    if (stdout?.trim() !== `v${version}`) return `${name} is not Node ${version}`;
    mkdirSync(join(cache(), version), { recursive: true });
    renameSync(binary, fileOf(version));
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (resolve(process.argv[1] ?? "") === fileURLToPath(import.meta.url)) {
  for (const { version, node } of nodes()) {
    const problem = node === undefined ? fetched(version) : undefined;
    console.log(`Node ${version}: ${problem ?? (node === undefined ? "fetched" : "is there")}`);
    if (problem !== undefined) process.exitCode = 1;
  }
}
