// Who speaks to the simulated nodes from outside, as a person's program does: each message has an id, each word that comes back is noted.

import { addressProblem, entityOf, parseAddress } from "../address.ts";
import type { EventData } from "../entity/contract.ts";
import { DroverError } from "../errors.ts";
import type { Answer, Told } from "../outcome.ts";
import { demandShape, keysOf } from "../shape/index.ts";
import type { TellOptions } from "../system/index.ts";
import type { ToldFact } from "./history.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import type { SimulationWorld } from "./simulation-world.ts";

export interface OutsideOptions extends Pick<TellOptions, "id" | "author" | "withinMs" | "keepMs" | "create"> {
  /** The node that is spoken to. Default: the one that hosts the entity from the beginning. */
  readonly through?: string;
}

/** Without an end it goes on for ever. */
const INSISTING = keysOf<{ forMs: number }>({ forMs: { title: "a number of at least 0", "x-test": (value) => typeof value === "number" && value >= 0 } }, []);

const WITHIN_MS = 10_000;
/** The client listens this much longer than it allows. */
const PATIENCE_MS = 2_000;
const AGAIN_MS = 400;

/** What became of it is not known, or nothing became of it yet: the same message may be sent again. */
const PASSING: ReadonlySet<string> = new Set(["unknown", "owner-away", "full", "not-stored", "deadline"]);

export class OutsideClient {
  readonly #world: SimulationWorld;
  #ids = 0;

  constructor(world: SimulationWorld) {
    this.#world = world;
  }

  async tell(address: string, event: EventData, options: OutsideOptions = {}): Promise<Told> {
    return (await this.#send(address, event, options, false)) as Told;
  }

  ask(address: string, event: EventData, options: OutsideOptions = {}): Promise<Answer> {
    return this.#send(address, event, options, true) as Promise<Answer>;
  }

  /** Sends the same message under the same id until its outcome is final. @param forMs gives up after this long, with the last word; default: never */
  async insist(address: string, event: EventData, { forMs = Number.POSITIVE_INFINITY, ...options }: OutsideOptions & { readonly forMs?: number } = {}): Promise<Told> {
    const { timeline } = this.#world;
    demandShape({ forMs }, INSISTING, "insist", "DROVER_SIMULATION_INVALID", true);
    const id = options.id ?? this.#nextId();
    const until = timeline.nowMs + forMs;
    for (;;) {
      const told = await this.tell(address, event, { ...options, id });
      if (!PASSING.has(told.kind) || timeline.nowMs >= until) return told;
      await new Promise<void>((resolve) => void timeline.after(AGAIN_MS, resolve));
    }
  }

  async #send(address: string, event: EventData, { through, ...options }: OutsideOptions, ask: boolean): Promise<Told | Answer> {
    const { timeline, tell } = this.#world;
    // A4. As a system's word, whether its node runs or not. Nothing was sent to anybody, so there is nothing to judge.
    const problem = typeof address === "string" ? addressProblem(address) : "an address is a text";
    if (problem !== undefined) return { kind: "invalid", problems: [{ path: "/to", message: problem }], accepts: [] };
    const node = this.#nodeFor(address, through);
    const id = options.id ?? this.#nextId();
    const withinMs = options.withinMs ?? WITHIN_MS;
    tell({ kind: "sent", node: node.name, id, to: address, type: event.type, ...(options.create === undefined ? {} : { creates: true }) });
    const { outcome, ...how } = await new Promise<Pick<ToldFact, "outcome" | "isUnheard">>((resolve) => {
      const { process, system } = node;
      if (process === undefined || system === undefined) {
        resolve({ outcome: { kind: "owner-away" } });
        return;
      }
      const forget = process.onEnd(() => {
        end({ kind: "unknown", reason: "the node ended before it answered" });
      });
      const limit = timeline.after(withinMs + PATIENCE_MS, () => {
        end({ kind: "unknown", reason: "the node did not answer in time" }, { isUnheard: true });
      });
      const end = (word: Told | Answer, as?: Pick<ToldFact, "isUnheard">): void => {
        forget();
        timeline.callOff(limit);
        resolve({ outcome: word, ...as });
      };
      process.enter(() => {
        const given = { ...options, id, withinMs };
        const word: Promise<Told | Answer> = ask ? system.ask(address, event, given) : system.tell(address, event, given);
        void word.then(
          (told) => {
            process.enter(() => {
              end(told);
            });
          },
          (cause: unknown) => {
            // Outcomes are values (hosting A4): a rejection is a finding of its own.
            end({ kind: "unknown", reason: String(cause) });
            throw cause;
          },
        );
      });
    });
    tell({ kind: "told", node: node.name, id, to: address, outcome, ...how });
    return outcome;
  }

  #nextId(): string {
    return `message-${String(++this.#ids)}`;
  }

  #nodeFor(address: string, through: string | undefined): SimulatedNode {
    const { nodes } = this.#world;
    const entity = entityOf(parseAddress(address));
    const home = through ?? [...nodes.values()].find(({ hosts }) => hosts.includes(entity))?.name ?? nodes.keys().next().value;
    const node = nodes.get(home ?? "");
    if (node === undefined) throw new DroverError("DROVER_SIMULATION_INVALID", `through: there is no node "${String(home)}"; the nodes are ${[...nodes.keys()].join(", ")}`);
    return node;
  }
}
