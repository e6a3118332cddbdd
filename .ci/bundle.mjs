// Puts packages that consist of hundreds of small modules into one file each, beside the build, and lets the built files import that: reading and linking them one by one is most
// of what the start of a node costs (typebox and mqtt: 0.55 of 0.8 s of processor time, before). The sources import the packages by their names, as their types do.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";

/** What our sources import of each. A module that only has a default export says so. */
const ENTRIES = {
  typebox: `export * from "typebox";`,
  "typebox/compile": `export * from "typebox/compile";`,
  "typebox/value": `export * from "typebox/value";`,
  mqtt: `export { default } from "mqtt";`,
};
const FOLDER = "bundled";
const fileOf = (name) => `${name.replace("/", "-")}.js`;

/** @param rooms folders below `out` whose files import the bundled ones */
export async function bundle(root, out, rooms) {
  const folder = join(out, FOLDER);
  const of = JSON.stringify([ENTRIES, ...["typebox", "mqtt", "esbuild"].map((name) => JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version)]);
  const stamp = join(folder, "made-of.json");
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== of) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const { build } = await import("esbuild");
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints: Object.keys(ENTRIES).map((name) => ({ in: `entry:${name}`, out: fileOf(name).slice(0, -".js".length) })),
      plugins: [{ name: "entries", setup }],
      bundle: true,
      splitting: true,
      platform: "node",
      target: "node20",
      format: "esm",
      chunkNames: "shared-[hash]",
      // Modules of the older kind load parts of Node by `require`.
      banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
      legalComments: "none",
      logLevel: "warning",
      outdir: folder,
      metafile: true,
    });
    writeFileSync(join(folder, "LICENSES.txt"), licencesOf(root, Object.keys(metafile.inputs)));
    writeFileSync(stamp, of);
  }
  for (const room of rooms) if (existsSync(join(out, room))) redirect(join(out, room), folder);

  function setup({ onResolve, onLoad }) {
    onResolve({ filter: /^entry:/ }, ({ path }) => ({ path: path.slice("entry:".length), namespace: "entries" }));
    onLoad({ filter: /.*/, namespace: "entries" }, ({ path }) => ({ contents: ENTRIES[path], resolveDir: root }));
  }
}

/** Built files import the bundled one where they name the package. */
function redirect(folder, bundled) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) redirect(path, bundled);
    else if (entry.name.endsWith(".js")) {
      const text = readFileSync(path, "utf8");
      const redirected = text.replace(/^(import .* from )"([^"]+)";$/gm, (line, head, name) =>
        Object.hasOwn(ENTRIES, name) ? `${head}"${relative(folder, join(bundled, fileOf(name))).replaceAll("\\", "/")}";` : line,
      );
      if (redirected !== text) writeFileSync(path, redirected);
    }
  }
}

/** The licence of every package whose code is in it, as each asks for. */
function licencesOf(root, inputs) {
  const packages = [...new Set(inputs.flatMap((input) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? []))].sort();
  return packages
    .map((at) => {
      const { name, version, license } = JSON.parse(readFileSync(join(root, at, "package.json"), "utf8"));
      const file = readdirSync(join(root, at)).find((each) => /^licen[sc]e/i.test(each));
      return `${name} ${version} (${license})\n\n${file === undefined ? "Its package holds no text of its licence.\n" : readFileSync(join(root, at, file), "utf8")}`;
    })
    .join(`\n${"-".repeat(80)}\n\n`);
}
