// The ESLint preset for authors of machines: `import drover from "drover/eslint"` (hosting H11; rules R2). It imports nothing, ESLint included.

import { noAsyncStep } from "./no-async-step.ts";
import { noWriteInPlace } from "./no-write-in-place.ts";
import { pureStep } from "./pure-step.ts";
import type { Rule } from "./syntax-tree.ts";

export interface PresetPlugin {
  readonly meta: { readonly name: string };
  readonly rules: Record<string, Rule>;
}

export interface PresetConfig {
  readonly name: string;
  readonly plugins: Record<string, PresetPlugin>;
  readonly rules: Record<string, "warn" | "error">;
}

const plugin: PresetPlugin = { meta: { name: "drover" }, rules: { "pure-step": pureStep, "no-async-step": noAsyncStep, "no-write-in-place": noWriteInPlace } };

/** One element of a flat configuration, for ESLint 9 and newer. Add `files` to keep it to the files that hold machines. */
const recommended: PresetConfig = {
  name: "drover/recommended",
  plugins: { drover: plugin },
  rules: { "drover/pure-step": "warn", "drover/no-async-step": "error", "drover/no-write-in-place": "error" },
};

const preset: PresetPlugin & { readonly configs: { readonly recommended: PresetConfig } } = { ...plugin, configs: { recommended } };
export default preset;
