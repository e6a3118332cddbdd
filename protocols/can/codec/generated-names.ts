// What may stand in generated TypeScript of a file's own words.
//
// G1. A word of a file is a string literal (`quoted`), words of a comment (`commented`), or an identifier made of it (`createIdentifiers`): letters, digits and underscores, no reserved word,
//     no two alike.

const IDENTIFIER = /^[A-Za-z_][0-9A-Za-z_]*$/;
/** Characters that editors do not show, or that end a line. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Words that TypeScript reserves, and what a generated module uses itself. */
const RESERVED = (
  "abstract any arguments as async await bigint boolean break case catch class const continue debugger declare default delete do else enum eval export extends false finally for from " +
  "function get if implements import in Infinity instanceof interface is keyof let module NaN namespace never new null number object of package private protected public readonly require " +
  "return set static string super switch symbol this throw true try type typeof undefined unique unknown using var void while with yield " +
  "decode Decoded labelOf words singles doubles HIGH LOW Readonly Record Object Uint8Array Uint32Array Float32Array Float64Array"
).split(" ");

/** Takes a name of its own for each call. @param prefixes each identifier is free with each of them before it, too */
export function createIdentifiers(prefixes: readonly string[] = []): (name: string) => string {
  const taken = new Set(RESERVED);
  /** By the first choice: the number to try next. */
  const next = new Map<string, number>();
  return (name) => {
    const words = name.replace(/[^0-9A-Za-z_]/g, "_");
    const wanted = IDENTIFIER.test(words) ? words : `_${words}`;
    const all = (identifier: string): readonly string[] => [identifier, ...prefixes.map((prefix) => `${prefix}${identifier}`)];
    let number = next.get(wanted) ?? 1;
    let identifier = number === 1 ? wanted : `${wanted}_${String(number)}`;
    while (all(identifier).some((each) => taken.has(each))) identifier = `${wanted}_${String(++number)}`;
    next.set(wanted, number);
    for (const each of all(identifier)) taken.add(each);
    return identifier;
  };
}

/** Texts by place, no two alike: what stands for the first time stays as it is. */
export function distinct(texts: readonly string[]): readonly string[] {
  const taken = new Set(texts);
  const seen = new Set<string>();
  const next = new Map<string, number>();
  return texts.map((text) => {
    if (!seen.has(text)) {
      seen.add(text);
      return text;
    }
    let number = next.get(text) ?? 2;
    while (taken.has(`${text}_${String(number)}`)) number++;
    next.set(text, number + 1);
    taken.add(`${text}_${String(number)}`);
    return `${text}_${String(number)}`;
  });
}

/** A string literal. */
export function quoted(text: string): string {
  return JSON.stringify(text).replace(HIDDEN, (hidden) => Array.from({ length: hidden.length }, (_, at) => `\\u${hidden.charCodeAt(at).toString(16).padStart(4, "0")}`).join(""));
}

/** The name of a property, where a literal or a type has one. */
export function property(name: string): string {
  if (name === "__proto__") return `["__proto__"]`;
  return IDENTIFIER.test(name) ? name : quoted(name);
}

/** One line of a comment. */
export function commented(text: string): string {
  return text.replace(HIDDEN, " ").replaceAll("*/", "* /").replace(/ +/g, " ").trim();
}
