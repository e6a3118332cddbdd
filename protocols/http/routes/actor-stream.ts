// One actor, live: a snapshot, then a change for each committed turn that concerns it (rules C4).
//
// R1. An event's id is `incarnation:revision`. A client that comes again with Last-Event-ID is given the turns it missed, from the journal, then a snapshot, then what follows.
// R2. What cannot be given again (another history, too far behind, an id that nobody here wrote, turns that the journal has not) is told as a `gap` before the snapshot: what is
//     missing is never passed over in silence.
// R3. While the journal or the actor is read, new changes are only noted: each turn is sent once, in the order of revisions. A change that does not follow the one before it, since a
//     replica leapt or more came than is noted, is caught up with like a client that comes again.
// R4. An actor that leaves memory is not gone: its stream stays, and goes on when it is back. What is not in memory is read from the store and not woken.

import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import { type ActorView, type Address, type Change, entityOf, historyEntry, type MissingTurns } from "../../../runtime/index.ts";
import { actorDocument } from "../actor-document.ts";
import { addressIn } from "../address-in-path.ts";
import type { EventStream } from "../event-stream.ts";
import { sendProblem } from "../problem.ts";
import { answers } from "../schemas.ts";
import { addressParams } from "./actors.ts";
import type { RouteParts, Routes } from "./parts.ts";

/** Turns of its entity that a client may have missed and is still given; past that a gap and a snapshot serve it better. */
const MAX_BEHIND = 10_000;
const MAX_REPLAYED = 1_000;
/** Changes noted while the journal is read. */
const MAX_NOTED = 1_000;

interface Position {
  readonly incarnation: string;
  readonly revision: number;
}

export const actorStreamRoutes: Routes = (plain, parts) => {
  const app = plain.withTypeProvider<TypeBoxTypeProvider>();

  app.get(
    "/v1/actors/:address/stream",
    {
      config: { role: "viewer" },
      exposeHeadRoute: false, // it would hold a stream open that has no body
      schema: {
        summary: "One actor, live (server-sent events)",
        description:
          "`snapshot`: the actor. `change`: a committed turn as in its history, with `actor` when it is live. `gap`: turns that cannot be given again. `ended`: the actor is gone; one that only leaves memory is not, its stream goes on when it is back. Resumes by Last-Event-ID.",
        tags: ["actors"],
        params: addressParams,
        headers: { type: "object", properties: { "last-event-id": { type: "string", description: "id of the last event that was seen" } } },
        response: answers({ 200: { description: "the stream", content: { "text/event-stream": { schema: { type: "string" } } } } }),
      },
    },
    async (request, reply) => {
      const address = addressIn(request.params.address);
      if (typeof address !== "string") return sendProblem(reply, address);
      const view = await parts.system.look(address);
      if (view === undefined) return sendProblem(reply, { name: "no-such-actor", detail: `Nobody has the address ${address}.` });
      const refusal = parts.streams.refusal(request);
      if (refusal !== undefined) return sendProblem(reply, refusal);
      // Whoever left while it was read would never be noticed.
      if (reply.raw.destroyed) return reply.hijack();
      let unsubscribe: () => void = () => undefined;
      const stream = parts.streams.open(request, reply, () => {
        unsubscribe();
      });
      const actor = new ActorStream(stream, address, parts);
      unsubscribe = parts.changes.subscribe(view.entity, (change) => {
        actor.changed(change);
      });
      if (stream.ended) unsubscribe();
      await actor.begin(positionOf(request.headers["last-event-id"]));
      return reply;
    },
  );
};

/** undefined: the client is new; an id that cannot be read is a position nobody knows (R2). */
function positionOf(header: string | string[] | undefined): Position | undefined {
  if (typeof header !== "string" || header === "") return undefined;
  const [, incarnation = "", revision = "-1"] = /^([A-Za-z0-9_.~-]{1,128}):(\d{1,15})$/.exec(header) ?? [];
  return { incarnation, revision: Number(revision) };
}

class ActorStream {
  readonly #stream: EventStream;
  readonly #address: Address;
  readonly #parts: RouteParts;
  /** Changes that came while the journal was read; undefined once the stream is live (R3). */
  #noted: Change[] | undefined = [];
  /** The entity's last turn that was sent, or did not concern the actor. */
  #seen: Position = { incarnation: "", revision: 0 };
  /** Its changes have no record. */
  #isVolatile = false;

  constructor(stream: EventStream, address: Address, parts: RouteParts) {
    this.#stream = stream;
    this.#address = address;
    this.#parts = parts;
  }

  /** R3. What was missed since `seen`, a snapshot, then what was noted meanwhile. */
  async begin(seen: Position | undefined): Promise<void> {
    this.#noted = [];
    try {
      const { system } = this.#parts;
      const view = await system.look(this.#address);
      // Of one that has ended meanwhile its entity's journal tells what was missed.
      const head = view ?? (await system.look(entityOf(this.#address)));
      if (seen !== undefined && head !== undefined) await this.#resume(seen, head);
      this.#snapshot(view);
    } catch (cause) {
      this.#parts.log.warn({ err: cause, actor: this.#address }, "the stream of an actor ends: it cannot be read");
      this.#stream.close("it cannot be read now: come again with Last-Event-ID");
    }
    const noted = this.#noted;
    this.#noted = undefined;
    for (const change of noted) this.changed(change);
  }

  changed(change: Change): void {
    if (this.#stream.ended) return;
    if (this.#noted !== undefined) {
      // What then does not follow is read from the journal.
      if (this.#noted.push(change) > MAX_NOTED) this.#noted.shift();
      return;
    }
    const { incarnation, revision } = this.#seen;
    if (change.incarnation === incarnation && change.revision <= revision) return;
    const isLeap = change.record === undefined && !this.#isVolatile;
    if (change.incarnation !== incarnation || change.revision !== revision + 1 || isLeap) {
      void this.begin(this.#seen);
      return;
    }
    this.#seen = { incarnation, revision: change.revision };
    if (change.ended.includes(this.#address)) {
      this.#stream.send({ event: "ended", id: idOf(change), data: { revision: change.revision, at: change.at } });
      this.#stream.close("the actor has ended");
      return;
    }
    const entry = this.#entryOf(change);
    if (entry === undefined) return;
    const view = this.#parts.system.read(this.#address);
    this.#stream.send({ event: "change", id: idOf(change), data: { ...entry, ...(view === undefined ? {} : { actor: actorDocument(view, this.#parts.decorate) }) } });
  }

  /** The turn as this actor's history has it; of a volatile entity, which has no journal, as far as the change tells. */
  #entryOf(change: Change): object | undefined {
    if (change.record !== undefined) return historyEntry(change.record, this.#address);
    const cell = change.cells.find((candidate) => candidate.address === this.#address);
    const emitted = change.emitted.filter((item) => item.cell === this.#address).map((item) => item.event);
    if (cell === undefined && emitted.length === 0) return undefined;
    return { revision: change.revision, at: change.at, inputs: [], ...(cell === undefined ? {} : { state: cell.value }), emitted };
  }

  async #resume(seen: Position, view: Position): Promise<void> {
    if (seen.incarnation === "") {
      this.#gap("the id is none of this stream", 0, view.revision);
    } else if (seen.incarnation !== view.incarnation || seen.revision > view.revision) {
      this.#gap("the actor has a new history", seen.revision, view.revision);
    } else if (view.revision - seen.revision > MAX_BEHIND) {
      this.#gap("too far behind", seen.revision, view.revision);
    } else {
      await this.#replay(seen.revision, view);
    }
  }

  async #replay(seen: number, { incarnation, revision }: Position): Promise<void> {
    let wanted = MAX_REPLAYED;
    for (let after: number | undefined = seen; after !== undefined && after < revision; ) {
      if (wanted === 0) {
        this.#gap("too many turns", after, revision);
        return;
      }
      const { items, missing, next } = await this.#parts.system.history(this.#address, { after, before: revision + 1, limit: wanted, order: "oldest-first" });
      const gaps = [...missing];
      for (const entry of items) {
        this.#gapsBefore(entry.revision, gaps);
        if (!this.#stream.send({ event: "change", id: idOf({ incarnation, revision: entry.revision }), data: entry })) return;
        await this.#stream.drained();
      }
      this.#gapsBefore(Number.POSITIVE_INFINITY, gaps);
      wanted -= items.length;
      after = next;
    }
  }

  /** Tells those `gaps`, and takes them away. */
  #gapsBefore(revision: number, gaps: MissingTurns[]): void {
    for (let gap = gaps[0]; gap !== undefined && gap.upTo < revision; gap = gaps[0]) {
      this.#gap("turns that are not kept", gap.after, gap.upTo);
      gaps.shift();
    }
  }

  #gap(reason: string, after: number, upTo: number): void {
    this.#stream.send({ event: "gap", data: { reason, after, upTo } });
  }

  #snapshot(view: ActorView | undefined): void {
    if (view === undefined) {
      this.#stream.send({ event: "ended", data: {} });
      this.#stream.close("the actor has ended");
      return;
    }
    this.#seen = { incarnation: view.incarnation, revision: view.revision };
    this.#isVolatile = view.durability === "volatile";
    this.#stream.send({ event: "snapshot", id: idOf(this.#seen), data: actorDocument(view, this.#parts.decorate) });
  }
}

function idOf({ incarnation, revision }: Position): string {
  return `${incarnation}:${String(revision)}`;
}
