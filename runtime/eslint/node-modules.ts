// What of Node's own modules a step may use: functions of their arguments alone, that every version of Node computes alike (hosting H11; rules R2).

const TIME = "use now(self), or let the sender put the time into the event";
const CHANCE = "use random(self)";
const ENGINES = "its result may differ between engine versions: compute it outside and send it";
const LATER = "use `after`, or raise and sendTo with a delay";
const WORK = "move it into an effect, a task or a source";
const GIVEN = "hand it over as input";

/** Those that exist without `node:` too; whatever begins with `node:` is one as well. */
export const NODE_MODULES: ReadonlySet<string> = new Set(
  (
    "assert assert/strict async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns dns/promises domain events fs fs/promises http http2 https " +
    "inspector inspector/promises module net os path path/posix path/win32 perf_hooks process punycode querystring readline readline/promises repl stream stream/consumers stream/promises " +
    "stream/web string_decoder sys timers timers/promises tls trace_events tty url util util/types v8 vm wasi worker_threads zlib"
  ).split(" "),
);

/** The console is left alone here as the global one is. */
const PURE = new Set(["assert", "assert/strict", "buffer", "console", "constants", "events", "punycode", "querystring", "string_decoder", "util/types"]);

const names = (text: string): ReadonlySet<string> => new Set(text.split(" "));

/** Of some modules these may be used. */
const ALLOWED: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  [
    "crypto",
    names(
      "constants createCipheriv createDecipheriv createHash createHmac createPrivateKey createPublicKey createSecretKey createVerify getCiphers getCurves getHashes hash hkdfSync Hash Hmac " +
        "KeyObject pbkdf2Sync privateDecrypt publicDecrypt scryptSync timingSafeEqual verify X509Certificate",
    ),
  ],
  ["os", names("constants EOL")],
  [
    "util",
    names(
      "format formatWithOptions getSystemErrorName inherits inspect isArray isDeepStrictEqual MIMEParams MIMEType stripVTControlCharacters TextDecoder TextEncoder toUSVString types",
    ),
  ],
  ["zlib", names("brotliDecompressSync codes constants crc32 gunzipSync inflateRawSync inflateSync unzipSync")],
]);

/** Of some modules all but these may be used. */
const REFUSED: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ["path", names("relative resolve")],
  ["path/posix", names("relative resolve")],
  ["path/win32", names("relative resolve")],
  ["url", names("pathToFileURL")],
]);

const ADVICE: ReadonlyMap<string, string> = new Map([
  ["crypto", CHANCE],
  ["os", GIVEN],
  ["path", GIVEN],
  ["path/posix", GIVEN],
  ["path/win32", GIVEN],
  ["perf_hooks", TIME],
  ["process", GIVEN],
  ["timers", LATER],
  ["timers/promises", LATER],
  ["url", GIVEN],
  ["util", GIVEN],
  ["v8", ENGINES],
  ["zlib", ENGINES],
]);

/** The name of one of Node's modules without `node:`; undefined: it is another module. */
export function nodeModule(specifier: unknown): string | undefined {
  if (typeof specifier !== "string") return undefined;
  if (specifier.startsWith("node:")) return specifier.slice("node:".length);
  return NODE_MODULES.has(specifier) ? specifier : undefined;
}

/**
 * Why a step must leave something of a module alone, as advice; undefined: it may use it.
 * @param path names within the module; none: the module as a value
 */
export function adviceOn(module: string, path: readonly string[]): string | undefined {
  if (module === "sys") return adviceOn("util", path);
  if (PURE.has(module)) return undefined;
  const [name, ...rest] = path;
  if (name === "default" || (module === "path" && (name === "posix" || name === "win32"))) return adviceOn(module, rest);
  const isFine = name !== undefined && (ALLOWED.get(module)?.has(name) ?? REFUSED.get(module)?.has(name) === false);
  // One of Node's modules as a value may become any of its functions; a module of which little is refused is not worth a word.
  return isFine || (name === undefined && REFUSED.has(module)) ? undefined : (ADVICE.get(module) ?? WORK);
}
