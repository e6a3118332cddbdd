// The demo fleet: three vehicles, a simulated trailer, a cloud, each in a process of its own.

export { createDemoFleet } from "./demo-fleet.ts";
export { runDemo, type DemoOptions } from "./run-demo.ts";
