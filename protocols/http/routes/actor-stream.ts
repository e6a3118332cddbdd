// One actor, live: a snapshot, then a change for each committed turn that concerns it (rules C4).
//
// R1. An event's id is `incarnation:revision`. A client that comes again with Last-Event-ID is given the turns it missed, from the journal, then a snapshot, then what follows.
// R2. What cannot be given again (another history, too far behind, an id that nobody here wrote) is told as a `gap` before the snapshot: what is missing is never passed over in silence.
// R3. While the journal or the actor is read, new changes are only noted: each turn is sent once, in the order of revisions.
// R4. An actor that leaves memory is not gone: its stream stays, and goes on when it is back. What is not in memory is read from the store and not woken.

import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import { type ActorView, type Address, type Change, historyEntry } from "../../../runtime/index.ts";
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
  #sent: Position = { incarnation: "", revision: 0 };

  constructor(stream: EventStream, address: Address, parts: RouteParts) {
    this.#stream = stream;
    this.#address = address;
    this.#parts = parts;
  }

  begin(seen: Position | undefined): Promise<void> {
    return this.#catchUp(async () => {
      if (seen !== undefined) await this.#resume(seen);
    });
  }

  /** R3. `before` is said of the present actor, then a snapshot, then what was noted meanwhile. */
  async #catchUp(before: () => Promise<void>): Promise<void> {
    this.#noted ??= [];
    try {
      await before();
      this.#snapshot(await this.#look());
    } catch (cause) {
      this.#parts.log.warn({ err: cause, actor: this.#address }, "the stream of an actor ends: it cannot be read");
      this.#stream.close("it cannot be read now: come again with Last-Event-ID");
    }
    const noted = this.#noted;
    this.#noted = undefined;
    for (const change of noted) this.changed(change);
  }

  #look(): Promise<ActorView | undefined> {
    return this.#parts.system.look(this.#address);
  }

  changed(change: Change): void {
    if (this.#stream.ended) return;
    if (this.#noted !== undefined) {
      // The snapshot that follows shows what the oldest of them did.
      if (this.#noted.push(change) > MAX_NOTED) this.#noted.shift();
      return;
    }
    if (change.incarnation !== this.#sent.incarnation) {
      const after = this.#sent.revision;
      void this.#catchUp(async () => {
        this.#gap("the actor has a new history", after, await this.#look());
      });
      return;
    }
    if (change.revision <= this.#sent.revision) return;
    if (change.ended.includes(this.#address)) {
      this.#stream.send({ event: "ended", id: idOf(change), data: { revision: change.revision, at: change.at } });
      this.#stream.close("the actor has ended");
      return;
    }
    const entry = this.#entryOf(change);
    if (entry === undefined) return;
    const view = this.#parts.system.read(this.#address);
    this.#stream.send({ event: "change", id: idOf(change), data: { ...entry, ...(view === undefined ? {} : { actor: actorDocument(view, this.#parts.decorate) }) } });
    this.#sent = change;
  }

  /** The turn as this actor's history has it; of a volatile entity, which has no journal, as far as the change tells. */
  #entryOf(change: Change): object | undefined {
    if (change.record !== undefined) return historyEntry(change.record, this.#address);
    const cell = change.cells.find((candidate) => candidate.address === this.#address);
    const emitted = change.emitted.filter((item) => item.cell === this.#address).map((item) => item.event);
    if (cell === undefined && emitted.length === 0) return undefined;
    return { revision: change.revision, at: change.at, inputs: [], ...(cell === undefined ? {} : { state: cell.value }), emitted };
  }

  async #resume(seen: Position): Promise<void> {
    const view = await this.#look();
    if (view === undefined) return;
    if (seen.incarnation === "") {
      this.#gap("the id is none of this stream", 0, view);
    } else if (seen.incarnation !== view.incarnation || seen.revision > view.revision) {
      this.#gap("the actor has a new history", seen.revision, view);
    } else if (view.revision - seen.revision > MAX_BEHIND) {
      this.#gap("too far behind", seen.revision, view);
    } else if (seen.revision < view.revision) {
      await this.#replay(seen, view);
    }
  }

  async #replay(seen: Position, view: ActorView): Promise<void> {
    const { revision, incarnation } = view;
    const entries = await this.#parts.system.history(this.#address, { after: seen.revision, before: revision + 1, limit: MAX_REPLAYED, order: "oldest-first" });
    for (const entry of entries) {
      if (!this.#stream.send({ event: "change", id: idOf({ incarnation, revision: entry.revision }), data: entry })) return;
      await this.#stream.drained();
    }
    const last = entries.at(-1);
    if (entries.length === MAX_REPLAYED && last !== undefined && last.revision < revision) this.#gap("too many turns", last.revision, view);
  }

  #gap(reason: string, after: number, view: ActorView | undefined): void {
    this.#stream.send({ event: "gap", data: { reason, after, upTo: view?.revision ?? null } });
  }

  #snapshot(view: ActorView | undefined): void {
    if (view === undefined) {
      this.#stream.send({ event: "ended", data: {} });
      this.#stream.close("the actor has ended");
      return;
    }
    this.#sent = { incarnation: view.incarnation, revision: view.revision };
    this.#stream.send({ event: "snapshot", id: idOf(this.#sent), data: actorDocument(view, this.#parts.decorate) });
  }
}

function idOf({ incarnation, revision }: Position): string {
  return `${incarnation}:${String(revision)}`;
}
