// The upload port of a TrailCurrent module: waiting until it is there, and handing it an image. What an outcome is worth is said in README.md.

export { awaitPort, type AwaitPortOptions, type PortOutcome } from "./await-port.ts";
export { upload, type UploadOptions, type UploadOutcome, type UploadProgress } from "./upload.ts";
