// What a TAP stream of tap says in the end: `# { total: 12, pass: 10, fail: 1, skip: 1 }`, counted over all files. Without that line the run did not end.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

/** @returns passed, failed and skipped assertions; one failure when the stream has no totals */
export function totalsOf(text) {
  const found = [...text.matchAll(/^# \{ ([^}]*) \}$/gm)].at(-1)?.[1];
  if (found === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const count = (name) => Number(new RegExp(`\\b${name}: (\\d+)`).exec(found)?.[1] ?? 0);
  return { passed: count("pass"), failed: count("fail"), skipped: count("skip") + count("todo") };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  let text = "";
  try {
    text = readFileSync(process.argv[2], "utf8");
  } catch {
    // No file: the tests never began, which totalsOf counts as a failure.
  }
  const { passed, failed, skipped } = totalsOf(text);
  console.log(`${passed} ${failed} ${skipped}`);
}
