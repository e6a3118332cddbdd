// Loaded before a test file: keeps node-tap from following every promise of the program under test (async-hook-domain), which costs a quarter of the processor time of what works
// with many promises and lies in every time that is measured. What it is for, an error that nobody caught, ends the file's process then, and the runner says so.
const asyncHooks = require("node:async_hooks");
const { syncBuiltinESMExports } = require("node:module");

const { createHook } = asyncHooks;
const nothing = { enable: () => nothing, disable: () => nothing };
asyncHooks.createHook = (methods) => (new Error().stack?.includes("async-hook-domain") === true ? nothing : createHook(methods));
syncBuiltinESMExports();
