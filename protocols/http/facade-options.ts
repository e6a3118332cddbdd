// What a node hands to its façade.

import type { FastifyInstance } from "fastify";
import type { EntityNode, ListedActor, System, TreeNode } from "../../runtime/index.ts";
import type { Clock, Log, MetricsSource, Random } from "../../runtime/ports/index.ts";
import type { ChangeHub } from "./change-hub.ts";
import type { OpenStreams } from "./open-streams.ts";
import type { SignalSource } from "./signal-source.ts";
import type { Tokens } from "./tokens.ts";

export interface Readiness {
  readonly ok: boolean;
  /** Why not, for a reader; empty when it is. */
  readonly reasons: readonly string[];
}

/** The supervision tree of one node as it was last announced. */
export interface AnnouncedTree {
  readonly node: string;
  /** Wall ms of its arrival. */
  readonly at: number;
  readonly tree: TreeNode;
  /** The entities that it hosts with their actors, where it tells them. */
  readonly entities?: readonly EntityNode[];
}

/** A node as it is listed: what every kind of node has, and what it likes to add. */
export interface NodeView {
  readonly node: string;
  /** `cloud`, `edge`, or what it calls itself. */
  readonly kind: string;
  /** `up`, `down`, or another word for how well it is heard. */
  readonly state: string;
  /** Wall ms since when. */
  readonly since?: number;
  readonly [more: string]: unknown;
}

/** What a node's own routes stand on. */
export interface RouteTools {
  /** Streams of server-sent events, bounded over all of them. */
  readonly streams: Pick<OpenStreams, "refusal" | "open">;
  /** Changes of one entity, for as long as somebody listens. */
  readonly changes: Pick<ChangeHub, "subscribe">;
}

export interface HttpFacadeOptions {
  readonly system: System;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  readonly tokens: Tokens;
  /** This node's tree and those announced to it. */
  readonly trees: () => readonly AnnouncedTree[];
  readonly nodes: () => readonly NodeView[];
  /** Absent: the node knows no signals. */
  readonly signals?: SignalSource;
  /** Fields that this node adds to an actor, e.g. a vehicle's `presence`. */
  readonly decorate?: (view: ListedActor) => Readonly<Record<string, unknown>> | undefined;
  readonly ready: () => Readiness;
  /** True once the node has started. Default: when it is ready for the first time. */
  readonly started?: () => boolean;
  /** Of the product; stands in OpenAPI. Default `0`. */
  readonly version?: string;
  /** Address of the vehicle whose node has this credential. Default: no vehicle's node is let in. */
  readonly vehicleOf?: (node: string, secret: string) => string | undefined;
  /** Routes that only this kind of node has, each with its role. What they add to the instance beside routes they wrap in a plugin of their own. */
  readonly routes?: (app: FastifyInstance, tools: RouteTools) => void;
  /** Asked at every scrape, beside the system's own. */
  readonly metrics?: readonly MetricsSource[];
  /** Connections at once; what is beyond is closed and told. Default 4,096. */
  readonly maxConnections?: number;
}
