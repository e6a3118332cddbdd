// The latest values of a vehicle's signals, watches over them, who speaks and who is silent.

export { createListening, type Listening } from "./listening.ts";
export { messagePeriodMs, PeriodLearner, silentAfterMs } from "./periods.ts";
export { createPresenceTracker, type PresenceTracker, type Talker, type TalkerState } from "./presence.ts";
export { createSignalTable, type SampleListener, type SignalTable, type TableBus } from "./signal-table.ts";
export { formatSource, type SignalQuality, type SignalReading, type SignalSource, type VehicleSignal } from "./vehicle-signal.ts";
export { createWatches, DEFAULT_AT_MOST_MS, type WatchDefinition, type Watches, type WatchEvent, type Zone } from "./watches.ts";
