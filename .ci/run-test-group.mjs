// Runs several test files one after the other in this process: the next is imported when all tests of the last are over. What it writes is one TAP stream; a line `# file: NAME` begins each file's part.
//
// Usage: TEST_FILES='["a.test.js","b.test.js"]' node .ci/run-test-group.mjs NAME     (tap makes its folders for tests by this name)
import { once } from "node:events";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const files = JSON.parse(process.env.TEST_FILES).map((file) => ({ file, path: resolve(file) }));
delete process.env.TEST_FILES;
const { default: tap } = await import(pathToFileURL(createRequire(files[0].path).resolve("tap")).href);

for (const { file, path } of files) {
  // A file that took too long has ended it all; the others get a process each.
  if (tap.results) break;
  tap.comment(`file: ${file}`);
  // Each file has the time that it has in a process of its own.
  tap.setTimeout(Number(process.env.TAP_TIMEOUT ?? 30) * 1_000);
  await import(pathToFileURL(path).href);
  while (!tap.idle) await once(tap, "idle");
}
