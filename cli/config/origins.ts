// Where each value of a configuration came from: a place in the file, a variable, a flag. Whoever reads of a problem looks there.

import { CheckedFile, ProblemList } from "../../actors/vehicle-file/index.ts";

/** Line and column of the value, or of the key before it. */
export type About = "key" | "value";

/**
 * The origin of the setting at `path`: `file:line:column`, the variable's name, or `--set`. Where the file lacks it: the place of the innermost object that could
 * hold it, at last of the file's top. `undefined` for what is no setting, and where there is no file.
 */
export type PlaceOf = (path: string, about?: About) => string | undefined;

/** A file's name as it was given, and what stands in it. */
export interface ConfigText {
  readonly file: string;
  readonly text: string;
}

/**
 * @param written the file, if there is one
 * @param givenBy the variable or the flag, for the paths of values that the file does not decide
 * @param known the keys at the top
 */
export function placesIn(written: ConfigText | undefined, givenBy: ReadonlyMap<string, string>, known: readonly string[]): PlaceOf {
  return (path, about = "value") => {
    const steps = path === "" ? [] : path.split(".");
    const [top] = steps;
    if (top !== undefined && !known.includes(top)) return undefined;
    const given = givenBy.get(path);
    if (given !== undefined || written === undefined) return given;
    const found = new ProblemList();
    new CheckedFile(written.file, written.text, found).complain(steps, { message: "" }, { key: about === "key" });
    const [place] = found.list();
    return place === undefined ? undefined : `${place.file}:${String(place.line)}:${String(place.column)}`;
  };
}

/** What a message about a setting is about: `the key "x" …` is about the key, unless that is the key that is missing. */
export function aboutOf(message: string): About {
  return /^the key "[^"]*" (?!is missing)/.test(message) ? "key" : "value";
}
