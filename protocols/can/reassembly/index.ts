// Messages that travel in several frames: what every transport protocol gives, counts and keeps within bounds. The protocols are in ../j1939, ../isotp and ../nmea2000.

export { createReassemblyCounters, nextBy, type Reassembler, type ReassemblyCounters, type TransportMessage } from "./reassembler.ts";
export { createSessionTable, NO_DATA, type Session, type SessionLimits, type SessionTable } from "./session-table.ts";
