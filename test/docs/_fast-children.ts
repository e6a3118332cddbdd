// Loaded before each process of a demo (`--import`): the time of its children passes faster, as in `_fast-clock`; its own, by which it starts and watches them, does not.

if (process.argv[1]?.includes("process-host") === true) await import("../end-to-end/_fast-clock.ts");

export {};
