// What is wrong on this machine.

export { runDoctor } from "./run-doctor.ts";
