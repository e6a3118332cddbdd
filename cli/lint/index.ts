// Supervision trees, read without running them.

export { lint, type LintOptions } from "./lint.ts";
