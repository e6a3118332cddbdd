// One file under check: its text as a tree, its data by the schema, and complaints with the place they are about.

import { type Complain, type Complaint, checkShape, type Located, nearestName, type Problem, type Shape } from "../../runtime/shape/index.ts";
import { type LocatedText, readLocatedYaml } from "./located-yaml.ts";

/** More than this nobody mends in one go; the rest is counted. */
const MAX_PROBLEMS = 200;

/** Problems of all files of one check. */
export class ProblemList {
  readonly #problems: Problem[] = [];
  #suppressed = 0;

  add(problem: Problem): void {
    if (this.isFull) this.#suppressed++;
    else this.#problems.push(problem);
  }

  /** Further problems are only counted. */
  get isFull(): boolean {
    return this.#problems.length >= MAX_PROBLEMS;
  }

  get isEmpty(): boolean {
    return this.#problems.length === 0;
  }

  /** In the order of the files and lines; the last one says how many were left out. */
  list(): readonly Problem[] {
    const files = [...new Set(this.#problems.map((problem) => problem.file))];
    const sorted = this.#problems.toSorted((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column);
    const last = sorted.at(-1);
    if (this.#suppressed > 0 && last !== undefined)
      sorted.push({ file: last.file, line: last.line, column: last.column, path: "", message: `${String(this.#suppressed)} further problems are not shown` });
    return sorted;
  }
}

/** What of a value is meant: an offset inside its text, or its key. */
interface Where {
  readonly within?: number;
  readonly key?: boolean;
}

export class CheckedFile {
  readonly file: string;
  readonly #located: LocatedText;
  readonly #problems: ProblemList;
  readonly #warnings: ProblemList | undefined;

  /** @param warnings where `warn` puts what it has to say; without it, nowhere */
  constructor(file: string, text: string, problems: ProblemList, warnings?: ProblemList) {
    this.file = file;
    this.#warnings = warnings;
    this.#located = readLocatedYaml(text);
    this.#problems = problems;
    for (const complaint of this.#located.complaints) this.#add(complaint.at, [], complaint);
  }

  get root(): Located | undefined {
    return this.#located.root;
  }

  /** Keys as they are written at `path`, whether what stands behind them fits or not. */
  keysAt(path: readonly string[]): readonly string[] {
    let node = this.root;
    for (const step of path) node = node?.kind === "map" ? node.entries.get(step)?.value : undefined;
    return node?.kind === "map" ? [...node.entries.keys()] : [];
  }

  /** The file's data as far as it fits; undefined where it is not a map at all. */
  read(shape: Shape): unknown {
    const complain: Complain = (at, path, complaint) => {
      this.#add(at, path, complaint);
    };
    return this.root === undefined ? undefined : checkShape(this.root, shape, [], complain);
  }

  /** The known name that is spelt most alike; none once so many problems are known that this one will not be shown. */
  suggest(written: string, known: Iterable<string>): string | undefined {
    return this.#problems.isFull ? undefined : nearestName(written, known);
  }

  /** For a pattern of which nothing but its last part is open (`Enginee.*`): the same over the nearest group of known names (`Engine.*`). */
  suggestPattern(written: string, known: Iterable<string>): string | undefined {
    if (!written.endsWith(".*") || written.indexOf("*") !== written.length - 1) return undefined;
    const depth = written.split(".").length - 1;
    const groups = new Set<string>();
    for (const name of known) {
      const steps = name.split(".");
      if (steps.length > depth) groups.add(`${steps.slice(0, depth).join(".")}.*`);
    }
    return this.suggest(written, groups);
  }

  /** Complains about the value at `path`, or where `key` is true about its key. `within` is an offset inside a text. */
  complain(path: readonly string[], complaint: Complaint, where: Where = {}): void {
    this.#add(this.#place(path, where), path, complaint);
  }

  /** Like `complain`, about what works as it stands and is hardly meant so. */
  warn(path: readonly string[], complaint: Complaint, where: Where = {}): void {
    if (this.#warnings !== undefined) this.#add(this.#place(path, where), path, complaint, this.#warnings);
  }

  #place(path: readonly string[], where: Where): number {
    let node = this.root;
    let at = node?.at ?? 0;
    for (const step of path) {
      if (node?.kind === "map") {
        const entry = node.entries.get(step);
        if (entry === undefined) break;
        at = where.key === true ? entry.keyAt : entry.value.at;
        node = entry.value;
      } else if (node?.kind === "list") {
        const item: Located | undefined = node.items[Number(step)];
        if (item === undefined) break;
        at = item.at;
        node = item;
      }
    }
    if (where.within !== undefined && node?.kind === "scalar" && node.textAt !== undefined) at = node.textAt + where.within;
    return at;
  }

  #add(at: number, path: readonly string[], complaint: Complaint, list = this.#problems): void {
    const { line, column } = this.#located.place(at);
    list.add({
      file: this.file,
      line,
      column,
      path: path.join("."),
      message: complaint.message,
      ...(complaint.expected === undefined ? {} : { expected: complaint.expected }),
      ...(complaint.suggestion === undefined ? {} : { suggestion: complaint.suggestion }),
    });
  }
}
