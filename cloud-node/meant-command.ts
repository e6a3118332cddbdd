// Which actor of a vehicle a command means, and whether it may wait for it: by the vehicle's own word of its file, kept in the replica over a restart of this node (rules O2, vehicle D4).
//
// M1. The file stands above the protocol. Of a vehicle that has told nothing of it yet, and of the vehicle's own words, the protocol's policy counts.
// M2. What the file does not list never waits: it could only be refused.

import { type MeantWord, meantWord, type ModuleContext, moduleType, ownerType, vehicleRoot } from "../actors/index.ts";
import { type Address, entityOf, type EventData, type RemoteMessage, type System } from "../runtime/index.ts";

type Messages = Pick<typeof ownerType.messages, "check" | "types"> & { specOf(type: string): { readonly whenAway?: string } | undefined };

const protocols: ReadonlyMap<string, Messages> = new Map([moduleType, ownerType, vehicleRoot].map((type) => [type.name, type.messages] as const));

export interface Meant {
  /** The vehicle itself where several of its actors may be meant. */
  readonly actor: Address;
  readonly mayWait: boolean;
  /** It may reach an actor for which others may wait. */
  readonly isBesideWaiting: boolean;
  /** Of the module; empty where none is meant. */
  readonly context: Partial<ModuleContext>;
  /** The output that is meant, where it is known. */
  readonly output: string | undefined;
  /** By the protocol, under whatever name the vehicle's file gives it. */
  check(event: EventData): ReturnType<Messages["check"]>;
}

/** An actor as it is known here, and what it has told of the word. */
interface Known {
  readonly actor: Address;
  readonly context: Partial<ModuleContext>;
  readonly messages: Messages;
  readonly word: MeantWord | undefined;
}

/** undefined where the actor is not known here. */
export function meantBy({ to, event }: Pick<RemoteMessage, "to" | "event">, system: Pick<System, "read" | "addresses">): Meant | undefined {
  const known = knownAt(to, event, system);
  if (known === undefined || to !== entityOf(to) || known.messages.specOf(event.type) !== undefined) return known === undefined ? undefined : meant(known, event);
  const prefix = `${to}/module/`;
  const modules = [...system.addresses()].filter((address) => address.startsWith(prefix)).map((address) => knownAt(address, event, system));
  const listed = modules.filter((each) => each !== undefined).filter(({ word }) => word !== undefined);
  const named = listed.filter(({ word }) => word?.name === event.type);
  const [first, second] = named.length === 0 ? listed : named;
  if (first !== undefined && second === undefined) return meant(first, event);
  return { ...meant(first ?? known, event), actor: to, output: undefined, isBesideWaiting: true };
}

function knownAt(actor: Address, event: EventData, system: Pick<System, "read">): Known | undefined {
  const view = system.read(actor);
  const messages = view === undefined ? undefined : protocols.get(view.type);
  if (view === undefined || messages === undefined) return undefined;
  const context = actor === entityOf(actor) ? {} : ((view.context ?? {}) as Partial<ModuleContext>);
  return { actor, context, messages, word: meantWord(context, event) };
}

/** M1, M2. */
function meant({ actor, context, messages, word }: Known, event: EventData): Meant {
  const as = word?.as ?? event.type;
  const ofProtocol = messages.types.map((type) => messages.specOf(type)?.whenAway);
  const policy = context.whenAway === undefined ? messages.specOf(as)?.whenAway : word?.whenAway;
  return {
    actor,
    mayWait: policy === "wait",
    isBesideWaiting: Object.values(context.whenAway ?? ofProtocol).includes("wait"),
    context,
    output: word?.output,
    check: (given) => messages.check({ ...given, type: as }),
  };
}
