// The room's door: the façade, its tokens, and what a node hands in.

export type { AnnouncedTree, HttpFacadeOptions, NodeView, Readiness } from "./facade-options.ts";
export { httpFacade } from "./facade.ts";
export { type HttpServer, type ListenOptions, listenHttp } from "./listen.ts";
export { type ProblemKind, problemKinds, type ProblemName, problemType } from "./problem-kinds.ts";
export { sendProblem } from "./problem.ts";
export { type Principal, type Role, type RouteRole } from "./roles.ts";
export type { ShownSignal, SignalReading, SignalSource } from "./signal-source.ts";
export { loadTokens, type LoadedTokens, noTokens, type TokenInfo, type Tokens } from "./tokens.ts";
