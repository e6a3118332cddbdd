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

/** @returns how many assertions of one file's TAP passed, failed, were skipped; the line that sums a subtest up is none of them */
export function leavesOf(text) {
  const counts = { pass: 0, fail: 0, skip: 0 };
  const subtests = [];
  for (const line of text.split("\n")) {
    const depth = line.search(/\S/) / 4;
    const subtest = /^\s*# Subtest: (.*)$/.exec(line);
    if (subtest !== null) subtests[depth] = { name: subtest[1], asserts: 0 };
    const point = /^\s*(not )?ok \d+(?: - (.*?))?(?: # time=.*)?$/.exec(line);
    if (point === null) continue;
    const [, not, name = ""] = point;
    for (let above = 0; above < depth; above++) if (subtests[above] !== undefined) subtests[above].asserts++;
    const own = subtests[depth];
    const isSummary = own !== undefined && own.name === name.replace(/ # (SKIP|TODO).*$/i, "") && own.asserts > 0;
    subtests[depth] = undefined;
    if (isSummary) continue;
    if (/ # (SKIP|TODO)/i.test(line)) counts.skip++;
    else counts[not === undefined ? "pass" : "fail"]++;
  }
  return counts;
}

/** @returns the tests, from the outermost on, in which a stream that broke off had said something last; undefined when none was open */
export function openTestOf(text) {
  const open = [];
  for (const line of text.split("\n")) {
    const depth = line.search(/\S/) / 4;
    const subtest = /^\s*# Subtest: (.*)$/.exec(line);
    if (subtest !== null) open[depth] = subtest[1];
    else if (/^\s*(not )?ok \d+/.test(line)) open.length = Math.min(open.length, depth);
  }
  return open.length === 0 ? undefined : open.join(" > ");
}

/** @returns every assertion that failed, with its file, its test and what tap said of it; a summary line of a file or subtest is left out unless nothing inside it failed */
export function failuresOf(text) {
  const lines = text.split("\n");
  const path = [];
  const found = [];
  lines.forEach((line, index) => {
    const indent = line.search(/\S/);
    const subtest = /^\s*# Subtest: (.*)$/.exec(line);
    if (subtest !== null) path[indent / 4] = { name: subtest[1], failed: found.length };
    const bad = /^\s*not ok \d+ - (?!.*# (?:SKIP|TODO))(.*?)(?: # time=.*)?$/.exec(line);
    if (bad === null) return;
    const own = path[indent / 4];
    if (own?.name === bad[1] && found.length > own.failed) return;
    const said = [];
    if (lines[index + 1]?.trim() === "---")
      for (let next = index + 2; next < lines.length && lines[next].trim() !== "..." && said.length < 60; next++) said.push(lines[next].slice(indent));
    found.push([...path.slice(0, indent / 4).map(({ name }) => name), bad[1]].join(" > ") + said.map((each) => `\n  ${each}`).join(""));
  });
  return found;
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
