// Names in package-lock.json the optional platform packages that npm left out because the registry in use does not serve them.
// Without them `npm ci` refuses the lock file on every machine ("Missing: … from lock file"). Run after each change of a dependency: node .ci/lock-platforms.mjs
import { readFileSync, writeFileSync } from "node:fs";

const path = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(path, "utf8"));
const systems = { android: "android", darwin: "darwin", freebsd: "freebsd", linux: "linux", openharmony: "openharmony", win32: "win32", wasm32: undefined };
const processors = ["arm64", "arm", "ia32", "x64", "ppc64", "riscv64", "s390x", "wasm32", "loong64"];
let added = 0;

for (const [at, parent] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    const nested = `${at}/node_modules/${name}`;
    const hoisted = `node_modules/${name}`;
    if (nested in lock.packages || hoisted in lock.packages) continue;
    const words = name.split(/[/-]/);
    const os = words.map((word) => systems[word]).find((system) => system !== undefined);
    const cpu = processors.find((processor) => words.includes(processor));
    if (cpu === undefined || !/^\d+\.\d+\.\d+$/.test(version))
      throw new Error(`${at} wants ${name}@${version}: not a platform package pinned to one version; mend package-lock.json by hand`);
    const libc = os !== "linux" ? undefined : words.some((word) => word.includes("musl")) ? "musl" : words.some((word) => /^gnu/.test(word)) ? "glibc" : undefined;
    lock.packages[hoisted] = {
      version,
      cpu: [cpu],
      ...(parent.dev ? { dev: true } : {}),
      ...(libc ? { libc: [libc] } : {}),
      ...(parent.license ? { license: parent.license } : {}),
      optional: true,
      ...(os ? { os: [os] } : {}),
    };
    added++;
    console.log(`${name}@${version}`, os ?? "", cpu, libc ?? "");
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a === b ? 0 : a === "" ? -1 : b === "" ? 1 : a.localeCompare(b, "en"))));
if (added > 0) writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} added`);
