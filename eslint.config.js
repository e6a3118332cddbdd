// Lint: what the types allow and this project does not. Layout is Biome's business, arrows between rooms are dependency-cruiser's.
//
// L1. Time, randomness, words and the process come in through ports. The files that implement those ports are named below, one by one.
// L2. A suppression carries its reason: `// eslint-disable-next-line rule -- why`. One that no longer suppresses anything is an error.

import tseslint from "typescript-eslint";

// The adapters of the ports, and nothing else. A new name here is a decision: it needs a line that says why the port does not serve.
const CLOCK_ADAPTERS = ["runtime/host/system-clock.ts"];
const RANDOM_ADAPTERS = ["runtime/host/system-random.ts"];
/** Takes time and chance away from a machine while it is stepped (hosting H11), so it must name them. */
const STAND_INS = ["runtime/xstate/{purity,node-stand-ins}.ts"];

/** May read the environment, take signals and write to the terminal: the command line, the one file that a process or thread of ours starts with, and what ends a process that must not go on. */
const PROCESS_OWNERS = [
  "cli/**/*.ts",
  "**/main.ts",
  "test/**/*.ts",
  "bench/**/*.ts",
  "runtime/workers/{thread-host,process-host,child-environment}.ts",
  "runtime/host/end-process.ts",
];
/** Measure and wait in real time: tests of real sockets and processes, and benches. */
const REAL_TIME = ["test/**/*.ts", "bench/**/*.ts", "**/main.ts"];

const useClock = "Time comes in through Clock (runtime/ports): now, monotonic, setTimeout.";
const useRandom = "Randomness comes in through Random (runtime/ports); inside a machine it is random(self).";
const useLog = "Words go through Log (runtime/ports); data of a command is written by cli/.";
const useOptions = "Only main.ts and cli/ touch the process; everything else is given what it needs.";

// `new Date(ms)` and `Date.parse(text)` stay: they convert and read no clock.
const clockSyntax = [
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: useClock },
  { selector: "CallExpression[callee.name='Date']", message: useClock },
  { selector: "MemberExpression[object.name='Date'][property.name='now']", message: useClock },
  { selector: "MemberExpression[object.name='globalThis'][property.name=/^(Date|setTimeout|setInterval|performance)$/]", message: useClock },
];
const randomSyntax = [
  { selector: "MemberExpression[object.name='Math'][property.name='random']", message: useRandom },
  { selector: "MemberExpression[object.name='crypto'][property.name='randomUUID']", message: useRandom },
];
const processSyntax = [
  {
    selector: "MemberExpression[object.name='process'][property.name=/^(env|argv|exit|exitCode|abort|cwd|chdir|stdin|stdout|stderr)$/]",
    message: useOptions,
  },
];
const clockGlobals = ["setTimeout", "setInterval", "clearTimeout", "clearInterval", "performance"].map((name) => ({ name, message: useClock }));
const consoleGlobals = [{ name: "console", message: useLog }];
const clockImports = ["node:timers", "node:timers/promises", "timers", "timers/promises", "node:perf_hooks", "perf_hooks"].map((name) => ({ name, message: useClock }));
const randomImports = [{ name: "node:crypto", importNames: ["randomUUID", "randomInt"], message: `${useRandom} Secrets may use randomBytes.` }];

/** The bans that hold in `files`; later blocks replace earlier ones, so that each file meets exactly one set. */
function bans(files, { clock = true, random = true, words = true }) {
  // A rule without options keeps those of the block before it, so an empty list must say "off".
  const rule = (list) => (list.length === 0 ? "off" : ["error", ...list]);
  return {
    files,
    rules: {
      "no-restricted-globals": rule([...(clock ? clockGlobals : []), ...(words ? consoleGlobals : [])]),
      "no-restricted-syntax": rule([...(clock ? clockSyntax : []), ...(random ? randomSyntax : []), ...(words ? processSyntax : [])]),
      "no-restricted-imports": ["error", { paths: [...(clock ? clockImports : []), ...(random ? randomImports : [])] }],
    },
  };
}

export default tseslint.config(
  { ignores: ["dist/", ".build/", "coverage/", ".tap/", "node_modules/", "test/golden/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["**/*.{ts,cts}"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: "error",
      "no-console": "off", // no-restricted-globals says it with the reason
      "no-constant-binary-expression": "error",
      "no-self-compare": "error",
      "no-template-curly-in-string": "error",
      "no-unmodified-loop-condition": "error",
      "no-unreachable-loop": "error",
      "no-useless-rename": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "separate-type-imports", disallowTypeAnnotations: false }],
      "@typescript-eslint/consistent-type-exports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false }],
      // Numbers read well in text; the other kinds hide "[object Object]" and "undefined".
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      // `_` marks a parameter that a signature demands and the function ignores.
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_", caughtErrors: "all", ignoreRestSiblings: true }],
      // `while (true)` with an explicit way out is a loop like another.
      "@typescript-eslint/no-unnecessary-condition": ["error", { allowConstantLoopConditions: "only-allowed-literals" }],
      // It takes every call that returns undefined for a statement; `return refuse(…)` gives that value on purpose.
      "@typescript-eslint/no-confusing-void-expression": "off",
      // `!` is banned (no-non-null-assertion): where the author knows more than the types, `as Type` names what is known.
      "@typescript-eslint/non-nullable-type-assertion-style": "off",
      // The engine's rooms meet through interfaces with one class behind each; `as Cell` is the step back, and tsc checks that it can be one.
      "@typescript-eslint/no-unsafe-class-instance-assignment": "off",
      // It takes `deferred<void>()` for a misuse.
      "@typescript-eslint/no-invalid-void-type": "off",
      // Methods that must be async by their port's type often have nothing to wait for.
      "@typescript-eslint/require-await": "off",
    },
  },
  {
    // isolatedDeclarations stays off because machines are inferred (TS9010); boundaries of these rooms are spelled out all the same.
    files: ["runtime/**/*.ts", "protocols/**/*.ts"],
    rules: { "@typescript-eslint/explicit-module-boundary-types": "error" },
  },
  bans(["**/*.ts"], {}),
  bans(PROCESS_OWNERS, { words: false }),
  bans(REAL_TIME, { clock: false, words: false }),
  bans(["test/**/*.ts", "bench/**/*.ts"], { clock: false, random: false, words: false }),
  bans(CLOCK_ADAPTERS, { clock: false }),
  bans(RANDOM_ADAPTERS, { random: false }),
  bans(STAND_INS, { clock: false, random: false, words: false }),
  {
    files: ["test/**/*.ts", "bench/**/*.ts"],
    rules: {
      // tap collects its own subtests: `test("…")` and `t.test("…")` need no await.
      "@typescript-eslint/no-floating-promises": [
        "error",
        {
          allowForKnownSafePromises: [{ from: "package", package: "@tapjs/core", name: "PromiseWithSubtest" }],
        },
      ],
      // Tests hand wrong values to typed doors on purpose and read loosely typed answers.
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-return": "off",
      "@typescript-eslint/restrict-plus-operands": "off",
      "@typescript-eslint/no-empty-function": "off",
    },
  },
  {
    files: ["**/*.mjs", "**/*.js"],
    extends: [tseslint.configs.strict],
  },
);
