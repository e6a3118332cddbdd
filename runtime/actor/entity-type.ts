// An entity type: the unit of ownership, turn, commit, journal and replication. It is a supervisor whose first child is its root cell (hosting H12).

import { DroverError } from "../errors.ts";
import { aNumber, demandShape, keysOf, listOf, oneOf, recordOf, type Shape } from "../shape/index.ts";
import { type AnyActorType, refuse } from "./actor-type.ts";

export type Durability = "volatile" | "snapshot" | "events";
export type Placement = "cloud" | "vehicle";

export interface ChildKind {
  /** Actor types that a child of this kind may have. */
  readonly types: readonly AnyActorType[];
  /** Whose restart a fault causes: of it alone, of all of its kind, of it and those started after it. */
  readonly strategy: "one-for-one" | "one-for-all" | "rest-for-one";
  /** OTP's words; default `transient`: restarted after a fault, not after a normal end. */
  readonly restart?: "permanent" | "transient" | "temporary";
  /** Default `committed`: the last committed state, the crashing input set aside (hosting H13). */
  readonly restartFrom?: "committed" | "initial";
}

export interface EntityType {
  readonly kind: "entity";
  /** That of its root. */
  readonly name: string;
  readonly root: AnyActorType;
  readonly durability: Durability;
  readonly placement: Placement;
  readonly passivateAfterMs: number | undefined;
  readonly restartFrom: "committed" | "initial";
  readonly children: Readonly<Record<string, Required<ChildKind>>>;
  /** Root and children by name. */
  readonly types: ReadonlyMap<string, AnyActorType>;
  /** The same entity type with another form of one of its actor types, e.g. one with its effects supplied. */
  using(...types: readonly AnyActorType[]): EntityType;
}

/** What a node is given: entity types, and actor types with their effects and tasks supplied. */
export type Registered = EntityType | AnyActorType;

const KIND = /^[a-z][A-Za-z0-9_.-]{0,63}$/;

const ACTOR_TYPE: Shape = {
  title: "an actor type: what actorType() gave",
  "x-test": (value) => typeof value === "object" && value !== null && (value as { readonly kind?: unknown }).kind === "actor",
};
const RESTART_FROM = oneOf("committed", "initial");
const CHILD_KIND = keysOf<ChildKind>(
  {
    types: listOf(ACTOR_TYPE),
    strategy: oneOf("one-for-one", "one-for-all", "rest-for-one"),
    restart: oneOf("permanent", "transient", "temporary"),
    restartFrom: RESTART_FROM,
  },
  ["types", "strategy"],
);
const ENTITY_TYPE = keysOf<Parameters<typeof entityType>[0]>(
  {
    root: ACTOR_TYPE,
    durability: oneOf("volatile", "snapshot", "events"),
    placement: oneOf("cloud", "vehicle"),
    passivateAfterMs: aNumber,
    restartFrom: RESTART_FROM,
    children: recordOf(CHILD_KIND),
  },
  ["root", "durability", "placement"],
);

/** @throws DROVER_TYPE_INVALID when a durable type has inline work or an effect without a class (hosting H7), or one that keeps no journal is to shelve messages */
export function entityType(type: {
  readonly root: AnyActorType;
  /**
   * `volatile` keeps nothing. `events` commits every turn as a journal record, and a full state every 100 turns and 32 KiB: history, replay, a stream to replicas.
   * `snapshot` commits every turn with the full state and forgets what came before the last two: for small states whose past nobody asks for.
   */
  readonly durability: Durability;
  readonly placement: Placement;
  /**
   * Idle this long, an entity of this type leaves memory as a whole, and comes back when it is called or has something to do (rules C5), after a restart of the node too;
   * > 0, `Infinity`: only when more are in memory than the node allows. Not for volatile types, which have nothing to come back from.
   * Default: it stays in memory from its activation until it is deactivated.
   */
  readonly passivateAfterMs?: number;
  /** For the root. Default `committed`. */
  readonly restartFrom?: "committed" | "initial";
  readonly children?: Readonly<Record<string, ChildKind>>;
}): EntityType {
  demandShape(type, ENTITY_TYPE, "entityType", "DROVER_TYPE_INVALID", true);
  const children: Record<string, Required<ChildKind>> = {};
  const types = new Map<string, AnyActorType>([[type.root.name, type.root]]);
  for (const [kind, child] of Object.entries(type.children ?? {})) {
    if (!KIND.test(kind))
      throw new DroverError("DROVER_TYPE_INVALID", `entity type "${type.root.name}": the kind "${kind}" begins with a lower-case letter and has at most 64 of [A-Za-z0-9_.-]`);
    children[kind] = { types: child.types, strategy: child.strategy, restart: child.restart ?? "transient", restartFrom: child.restartFrom ?? "committed" };
    for (const member of child.types) {
      const known = types.get(member.name);
      if (known !== undefined && known !== member) throw new DroverError("DROVER_TYPE_INVALID", `entity type "${type.root.name}": two actor types are named "${member.name}"`);
      types.set(member.name, member);
    }
  }
  const { passivateAfterMs } = type;
  if (passivateAfterMs !== undefined && (type.durability === "volatile" || !(passivateAfterMs > 0)))
    throw new DroverError(
      "DROVER_TYPE_INVALID",
      `entity type "${type.root.name}": passivateAfterMs ${type.durability === "volatile" ? "is not for volatile types: what they know is gone with them" : `is a positive number of milliseconds, this is ${String(passivateAfterMs)}`}`,
    );
  if (type.root.mailbox.overflow === "shelve" && type.durability !== "events")
    throw new DroverError(
      "DROVER_TYPE_INVALID",
      `entity type "${type.root.name}": mailbox.overflow "shelve" needs durability "events", this is "${type.durability}": ${type.durability === "volatile" ? "it has no store to keep messages in" : "each of its commits would write all that is shelved again"}`,
    );
  if (type.durability !== "volatile") for (const member of types.values()) refuse(member.name, member.problems);
  return build({
    kind: "entity",
    name: type.root.name,
    root: type.root,
    durability: type.durability,
    placement: type.placement,
    passivateAfterMs: type.passivateAfterMs,
    restartFrom: type.restartFrom ?? "committed",
    children,
    types,
  });
}

function build(fields: Omit<EntityType, "using">): EntityType {
  return {
    ...fields,
    using: (...replacements) => {
      const by = new Map(replacements.map((type) => [type.name, type]));
      const swap = (type: AnyActorType): AnyActorType => by.get(type.name) ?? type;
      const children: Record<string, Required<ChildKind>> = {};
      for (const [kind, child] of Object.entries(fields.children)) children[kind] = { ...child, types: child.types.map(swap) };
      return build({ ...fields, root: swap(fields.root), children, types: new Map([...fields.types].map(([name, type]) => [name, swap(type)])) });
    },
  };
}
