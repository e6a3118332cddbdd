// Between a vehicle and the cloud, over any transport: the entity's stream, telemetry, presence.

export { type LinkEvent, type LiveInfo, livePayload, watchLive } from "./live.ts";
export { type SampleRecord, type SampleValue, type SignalInfo, type SignalSource, type SignalState } from "./signal-state.ts";
export { SignalMirror } from "./signal-mirror.ts";
export { SentBound } from "./sent-bound.ts";
export { openStreamIngest, type StreamIngest, type StreamIngestOptions } from "./stream-ingest.ts";
export { type FoundFork, startStreamShipper, type StreamShipper, type StreamShipperOptions, UNSHIPPED_JOURNAL } from "./stream-shipper.ts";
export { encodeSample, openTelemetryIngest, type TelemetryIngest, type TelemetryIngestOptions } from "./telemetry-ingest.ts";
export { startTelemetryShipper, type TelemetryShipper, type TelemetryShipperOptions } from "./telemetry-shipper.ts";
