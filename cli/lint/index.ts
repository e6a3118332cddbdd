// Supervision trees, read without running them.

export { lint } from "./lint.ts";
