// Puts tap, 240 small modules, into one file beside the built tests, which find it there by its name: a third of what the start of a test's process cost was finding and reading them one by one.
//
// It follows no promise of the program under test (tap's async-hook-domain does), which costs a quarter of the processor time of what works with many promises and lies in every time
// that is measured. What that is for, an error that nobody caught, ends the file's process then, and the runner says so. A rejection that nobody handles does too, also where a system runs,
// which would only log it: a test that listens itself decides.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where the code lies: tap leaves its own lines out of a failure's stack, and knows them by a folder of this name. */
const CODE = "@tapjs/bundled.js";
const ALONE = `process.on("unhandledRejection", function alone(reason) {
  const isOther = (each) => each !== alone && each[Symbol.for("drover.unhandledRejection")] !== true;
  if (!process.listeners("unhandledRejection").some(isOther)) throw reason;
});`;
const INERT_HOOKS = `export { executionAsyncId } from "node:async_hooks"; export const createHook = () => ({ enable() {}, disable() {} });`;

/** @param tests the folder of the built tests */
export async function bundleTap(root, tests) {
  const folder = join(tests, "node_modules");
  const versionOf = (name) => JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version;
  const manifest = JSON.stringify({
    name: "tap",
    version: versionOf("tap"),
    type: "module",
    exports: "./index.js",
    esbuild: versionOf("esbuild"),
    made: readFileSync(import.meta.filename, "utf8"),
  });
  const stamp = join(folder, "tap/package.json");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === manifest) return;

  rmSync(folder, { recursive: true, force: true });
  const { build } = await import("esbuild");
  await build({
    absWorkingDir: root,
    stdin: { contents: `export * from "tap"; export { default } from "tap";`, resolveDir: root },
    plugins: [{ name: "inert-hooks", setup }],
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    // Modules of the older kind load parts of Node by `require`.
    banner: { js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);' + ALONE },
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    logLevel: "warning",
    outfile: join(folder, CODE),
  });
  writeFileSync(join(folder, "package.json"), `{ "type": "module" }`);
  mkdirSync(join(folder, "tap"), { recursive: true });
  writeFileSync(join(folder, "tap/index.js"), `export * from "../${CODE}";\nexport { default } from "../${CODE}";\n`);
  writeFileSync(stamp, manifest);

  function setup({ onResolve, onLoad }) {
    onResolve({ filter: /^async_hooks$/ }, ({ importer }) => (importer.includes("async-hook-domain") ? { path: "hooks", namespace: "inert" } : undefined));
    onLoad({ filter: /.*/, namespace: "inert" }, () => ({ contents: INERT_HOOKS }));
  }
}
