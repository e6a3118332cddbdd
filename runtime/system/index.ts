// The system's only door: what makes one, what it offers, and what may be seen of the actors on it.

export { activeVersionsIn, VERSIONS_AT_START, type VersionsAtStart } from "./active-versions.ts";
export type { AskOptions, EntityNode, EntityOptions, RaisedVersions, Remote, RemoteMessage, System, TellOptions, TypeVersions } from "./contract.ts";
export type { Door, DoorVerdict } from "./door.ts";
export type { ActorInspection, Inspection, NotKept, PastActor, ReplayedRevision, Trial } from "./inspected.ts";
export type { Redelivery } from "./dead-letters.ts";
export { historyEntry, readHistory } from "./history.ts";
export type { JournalLimit } from "./journal-limit.ts";
export { containsState } from "./listing.ts";
export { createSystem, type SystemOptions } from "./system.ts";
export type {
  AbsentEntity,
  ActorQuery,
  ActorView,
  Change,
  DeadLetter,
  DeadLetterQuery,
  Directory,
  HistoryEntry,
  HistoryPage,
  HistoryQuery,
  ListedActor,
  Listing,
  MissingTurns,
} from "./views.ts";
