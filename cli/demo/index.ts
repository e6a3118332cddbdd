// The demo fleet: vehicles from recordings, simulated trailers, a cloud, each in a process of its own.

export { createDemoFleet } from "./demo-fleet.ts";
export { runDemo, type DemoOptions } from "./run-demo.ts";
export { demoTrailers } from "./trailers.ts";
