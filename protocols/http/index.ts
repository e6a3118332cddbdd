// The room's door: the façade, its tokens, and what a node hands in.

export { addressIn } from "./address-in-path.ts";
export { decodeCursor, encodeCursor } from "./cursor.ts";
export { isHeld } from "./entity-tag.ts";
export type { EventStream } from "./event-stream.ts";
export type { AnnouncedTree, HttpFacadeOptions, NodeView, Readiness, RouteTools } from "./facade-options.ts";
export { httpFacade } from "./facade.ts";
export { takeItsTime } from "./http-server.ts";
export { keyIn } from "./idempotency-key.ts";
export { type HttpServer, type ListenOptions, listenHttp } from "./listen.ts";
export { type ProblemKind, problemKinds, type ProblemName, problemType } from "./problem-kinds.ts";
export { problemOf } from "./outcome-problem.ts";
export { type Problem, sendProblem } from "./problem.ts";
export { type Principal, type Role, type RouteRole } from "./roles.ts";
export { answers } from "./schemas.ts";
export type { ShownSignal, SignalReading, SignalSource } from "./signal-source.ts";
export { bodyCheck, CHECKED_ELSEWHERE } from "./validation.ts";
export { loadTokens, type LoadedTokens, noTokens, type TokenInfo, type Tokens } from "./tokens.ts";
