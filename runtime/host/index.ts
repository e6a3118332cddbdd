// What a real node gives to the ports that need the operating system. Composition files and the command line import it; nothing else does but readers of files.

export { endProcess } from "./end-process.ts";
export { keptFile } from "./kept-file.ts";
export { makeFolder } from "./make-folder.ts";
export { openNamedStream, readNamedFile, readNamedStream } from "./named-stream.ts";
export { readPlainFile, readPlainFileIfAny, readPlainText, requirePlainFile } from "./plain-file.ts";
export { type NodeStepWatch, startStepWatch } from "./step-watch.ts";
export { systemClock } from "./system-clock.ts";
export { systemRandom } from "./system-random.ts";
export { droverVersion, lowestNode } from "./version.ts";
