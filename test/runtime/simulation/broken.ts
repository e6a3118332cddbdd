// Parts that break a promise on purpose, put between a simulated node and its ports. The simulator must find each.

import { decodeRecord, decodeState, encodeRecord, encodeState } from "../../../runtime/entity/index.ts";
import type { AskOutcome, Clock, CommitOutcome, StepWatch, Store, StoredEntity, Transport } from "../../../runtime/ports/index.ts";
import type { HostingNode, NodeProgram, ProcessPorts } from "../../../runtime/simulation/index.ts";
import { systemProgram } from "../../../runtime/simulation/system-program.ts";
import type { System } from "../../../runtime/system/index.ts";
import { WAKE_MARKS } from "../../../runtime/system/wake-rows.ts";
import { decodeEnvelope, encodeEnvelope } from "../../../runtime/wire/index.ts";
import { BEAT_MS } from "./beacons.ts";

type Wrapper = (ports: ProcessPorts) => ProcessPorts;
type Rows = Record<string, readonly (readonly [string, unknown?])[]>;

function withStore(make: (store: Store) => Partial<Store>): Wrapper {
  return (ports) => {
    const { store } = ports;
    const through: Store = {
      open: () => store.open(),
      commit: (batch) => store.commit(batch),
      revisionOf: (entity) => store.revisionOf(entity),
      load: (entity) => store.load(entity),
      entities: (after, limit) => store.entities(after, limit),
      journal: (query) => store.journal(query),
      trim: (entity, revision) => store.trim(entity, revision),
      values: store.values,
      close: () => store.close(),
    };
    return { ...ports, store: { ...through, ...make(store) } };
  };
}

/** E4: whatever epoch the owner has, the store takes it for the newest. */
export const ignoresEpochs = withStore((store) => ({ commit: (batch) => store.commit(batch.map((commit) => ({ ...commit, epoch: 1_000_000 }))) }));

/** S2: says `committed` as soon as it has heard of it. */
export const answersBeforeItWrites = withStore((store) => ({
  commit: (batch) => {
    void store.commit(batch);
    return Promise.resolve(batch.map((): CommitOutcome => ({ kind: "committed" })));
  },
}));

/** S3: says `committed` and writes nothing, once in a while. */
export const confirmsWithoutWriting: Wrapper = (ports) =>
  withStore((store) => ({
    commit: async (batch) => (ports.random.next() < 0.05 ? batch.map((): CommitOutcome => ({ kind: "committed" })) : store.commit(batch)),
  }))(ports);

/** S5: a store that does not answer once in a while, and a node that knows no deadlines of senders. */
export const keepsSendersWaiting: Wrapper = (ports) =>
  withClock((clock) => ({ setTimeout: (run, delayMs, options) => clock.setTimeout(delayMs > 1_500 && delayMs <= 3_000 ? () => undefined : run, delayMs, options) }))(
    withStore((store) => ({ commit: (batch) => (ports.random.next() < 0.02 ? new Promise(() => undefined) : store.commit(batch)) }))(ports),
  );

/** C2: writes, and says that it did not, once in a while. */
export const refusesWhatItWrites: Wrapper = (ports) =>
  withStore((store) => ({
    commit: async (batch) => {
      const outcomes = await store.commit(batch);
      return ports.random.next() < 0.05 ? outcomes.map((): CommitOutcome => ({ kind: "refused", reason: "it says so" })) : outcomes;
    },
  }))(ports);

/** S3: what is recovered has the newest revision, and the state of the one before. */
export const recoversOldStates: Wrapper = (ports) => {
  const states = ports.kept("states", () => new Map<string, readonly Uint8Array[]>());
  return withStore((store) => ({
    commit: async (batch) => {
      for (const { entity, snapshot } of batch) if (snapshot !== undefined) states.set(entity, [snapshot.slice(), ...(states.get(entity) ?? [])].slice(0, 2));
      return store.commit(batch);
    },
    load: async (entity) => {
      const stored = await store.load(entity);
      const before = states.get(entity)?.[1];
      return stored?.snapshot === undefined || before === undefined ? stored : { ...stored, snapshot: { ...stored.snapshot, state: before } };
    },
  }))(ports);
};

/** What is recovered lacks the rows of these tables, or has them changed. */
function recovers(change: (table: string, row: readonly [string, unknown?]) => readonly [string, unknown?] | undefined): Wrapper {
  const changed = (rest: unknown): Rows =>
    Object.fromEntries(
      Object.entries(rest as Rows).map(([table, rows]) => [table, rows.map((row) => (row.length === 1 ? row : change(table, row))).filter((row) => row !== undefined)]),
    );
  const read = (stored: StoredEntity): StoredEntity => ({
    ...stored,
    snapshot: stored.snapshot === undefined ? undefined : { ...stored.snapshot, state: spoiltState(stored.snapshot.state, changed) },
    records: stored.records.map((kept) => {
      const record = decodeRecord(kept.record);
      return { ...kept, record: encodeRecord({ ...record, outcome: { ...record.outcome, rest: changed(record.outcome.rest) } }) };
    }),
  });
  return withStore((store) => ({
    load: async (entity) => {
      const stored = await store.load(entity);
      return stored === undefined ? undefined : read(stored);
    },
  }));
}

function spoiltState(bytes: Uint8Array, changed: (rest: unknown) => Rows): Uint8Array {
  const state = decodeState(bytes);
  return encodeState({ ...state, rest: state.rest === null ? null : changed(state.rest) });
}

/** What was taken before the restart is not known after it. */
export const forgetsWhatWasTaken = recovers((table, row) => (table === "taken" || table === "senders" ? undefined : row));
export const losesTimers = recovers((table, row) => (table === "timers" ? undefined : row));
/** S3: what waits for its receiver is forgotten, and its number with it. */
export const losesOutboxes = recovers((table, row) => (table === "outbox" ? undefined : row));
export const losesEffects = recovers((table, row) => (table === "pending" ? undefined : row));
/** S5: what is shelved is there, and its last number is not. */
export const forgetsWhereShelvesEnd = recovers((table, row) => (table === "counters" && row[0] === "shelf" ? undefined : row));
/** M4: how often an input was attempted, and how often it ended a process, is forgotten; that it did is known. */
export const forgetsAttempts: Wrapper = (ports) => {
  const { stepWatch } = ports;
  const watch: StepWatch = {
    begin: (codeOf) => stepWatch.begin(codeOf),
    stepping: (...name) => {
      stepWatch.stepping(...name);
    },
    idle: () => {
      stepWatch.idle();
    },
    within: (...work) => stepWatch.within(...work),
    get hung() {
      return [...new Map(stepWatch.hung.map((each) => [`${each.entity} ${each.key}`, each])).values()];
    },
    settled: (entity, key) => {
      stepWatch.settled(entity, key);
    },
  };
  return { ...recovers((table, row) => (table === "attempts" ? undefined : row))(ports), stepWatch: watch };
};
/** M4: nobody is told what was under way. */
export const namesNothing: Wrapper = (ports) => ({ ...ports, stepWatch: { ...ports.stepWatch, stepping: () => undefined, within: (_entity, _cell, _what, _key, run) => run() } });
/** S7: what a journal says to be gone is there again. */
export const revivesTimers = withStore((store) => ({
  load: async (entity) => {
    const stored = await store.load(entity);
    if (stored === undefined) return undefined;
    const records = stored.records.map((kept) => {
      const record = decodeRecord(kept.record);
      const rest = record.outcome.rest as Rows | null;
      const timers = (rest?.["timers"] ?? []).filter(({ length }) => length > 1);
      return { ...kept, record: encodeRecord({ ...record, outcome: { ...record.outcome, rest: { ...rest, timers } } }) };
    });
    return { ...stored, records };
  },
}));
/** K1: a time that passed while nobody watched is one like any other. */
export const firesWhatItSkips = recovers((table, row) => (table === "timers" ? [row[0], { ...(row[1] as object), rhythm: undefined }] : row));
/** K1: how many firings came late in a row is counted from far below. */
export const firesEachWithoutEnd = recovers((table, row) => {
  const timer = row[1] as { readonly rhythm?: object };
  return table === "timers" && timer.rhythm !== undefined ? [row[0], { ...timer, rhythm: { ...timer.rhythm, late: -50 } }] : row;
});
/** F1: what may happen once only is taken for repeatable. */
export const repeatsOnceEffects = recovers((table, row) => (table === "pending" ? [row[0], { ...(row[1] as object), class: "idempotent" }] : row));

/** F1, F2: what may happen once only is taken for one of the sort that is computed anew, and whose actor is told nothing. */
export const forgetsToTellOfOnceEffects = recovers((table, row) => (table === "pending" ? [row[0], { ...(row[1] as object), class: "state" }] : row));
/** F1: what is to be computed anew is taken for repeatable. */
export const replaysStateEffects = recovers((table, row) =>
  table === "pending" && (row[1] as { readonly class: string }).class === "state" ? [row[0], { ...(row[1] as object), class: "idempotent" }] : row,
);
/** M2: what was answered is recovered as another answer. */
export const answersOtherwise = recovers((table, row) => {
  const entry = row[1] as { readonly answer?: { readonly kind: string; readonly value?: object } };
  return table === "taken" && entry.answer?.kind === "replied" ? [row[0], { ...entry, answer: { ...entry.answer, value: { ...entry.answer.value, strokes: -1 } } }] : row;
});

/** M1: what is told in one go comes to its actor newest first. */
export function newestFirst(node: HostingNode): NodeProgram {
  const program = systemProgram(node);
  return {
    ...program,
    start: async (ports) => {
      const running = await program.start(ports);
      const { system } = running;
      let waiting: (() => void)[] | undefined;
      const tell: System["tell"] = (...told) =>
        new Promise((resolve, reject) => {
          if (waiting === undefined) {
            const all: (() => void)[] = (waiting = []);
            ports.defer(() => {
              waiting = undefined;
              for (const each of all.reverse()) each();
            });
          }
          waiting.push(() => void system.tell(...told).then(resolve, reject));
        });
      return { ...running, system: { ...system, tell } };
    },
  };
}

/** Context of what is recovered is not what was committed. */
export const misreadsContexts = withStore((store) => ({
  load: async (entity) => {
    const stored = await store.load(entity);
    if (stored?.snapshot === undefined) return stored;
    const state = decodeState(stored.snapshot.state);
    const cells = state.cells.map((cell, at) => (at === 0 ? { ...cell, context: { ...(cell.context as object), misread: true } } : cell));
    return { ...stored, snapshot: { ...stored.snapshot, state: encodeState({ ...state, cells }) } };
  },
}));

/** What becomes of the named values whose keys these are: they are not written, and nobody is told. */
function losesValues(isLost: (key: string) => boolean): Wrapper {
  return withStore(({ values }) => ({
    values: {
      ...values,
      set: async (key, value) => {
        if (!isLost(key)) await values.set(key, value);
      },
      write: (changes) => values.write(changes.filter(({ key, value }) => value === undefined || !isLost(key))),
    },
  }));
}

/** W1: when an entity that leaves memory must come back is kept by nobody. */
export const losesWakeRows = losesValues((key) => key.startsWith("wake/") && !key.startsWith(WAKE_MARKS));
/** W2: that an entity has something to do that no row tells is kept by nobody. */
export const losesWakeMarks = losesValues((key) => key.startsWith(WAKE_MARKS));
/** W6: since when the entity of a row keeps its rhythm is kept by nobody. */
export const losesRhythms = withStore(({ values }) => ({
  values: {
    ...values,
    write: (changes) => values.write(changes.map(({ key, value }) => ({ key, value: value !== undefined && key.startsWith("wake/wall/") ? new Uint8Array(0) : value }))),
  },
}));
/** W1: the rows of an entity go when it comes back, before anything else tells of its timers. */
export const forgetsWakeRowsTooEarly = withStore((store) => ({
  load: async (entity) => {
    const rows = await store.values.entries("wake/");
    await store.values.write(rows.filter(({ key }) => key.endsWith(`/${entity}`) && !key.startsWith(WAKE_MARKS)).map(({ key }) => ({ key, value: undefined })));
    return store.load(entity);
  },
}));
/** K1: hosted time begins anew with each run. */
export const forgetsHostedTime = withStore(({ values }) => ({
  values: { ...values, entries: async (prefix, page) => (await values.entries(prefix, page)).filter(({ key }) => key !== "hosted-ms") },
}));
/** K1: hosted time that passes without turns is kept by nobody. */
export const keepsNoBeats = losesValues((key) => key === "hosted-ms");

/** R2: what is written of each turn lacks its timers; nobody sees it before the entity is recovered. */
export const writesNoTimers = withStore((store) => ({
  commit: (batch) =>
    store.commit(
      batch.map((commit) => {
        const record = decodeRecord(commit.record);
        const { timers: _, ...rest } = record.outcome.rest as Rows;
        return { ...commit, record: encodeRecord({ ...record, outcome: { ...record.outcome, rest } }) };
      }),
    ),
}));

function withClock(make: (clock: Clock) => Partial<Clock>): Wrapper {
  return (ports) => {
    const { clock } = ports;
    const through: Clock = {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      setTimeout: (run, delayMs, options) => clock.setTimeout(run, delayMs, options),
      clearTimeout: (handle) => {
        clock.clearTimeout(handle);
      },
    };
    return { ...ports, clock: { ...through, ...make(clock) } };
  };
}

function isBeat(delayMs: number): boolean {
  return delayMs > BEAT_MS - 100 && delayMs <= BEAT_MS;
}

/** S7: a beat is waited for, and nobody is told. */
export const swallowsBeats = withClock((clock) => ({ setTimeout: (run, delayMs, options) => clock.setTimeout(isBeat(delayMs) ? () => undefined : run, delayMs, options) }));
/** S7: a beat comes, long after its time. */
export const beatsLate = withClock((clock) => ({ setTimeout: (run, delayMs, options) => clock.setTimeout(run, isBeat(delayMs) ? delayMs + 15_000 : delayMs, options) }));
/** K1: its monotonic clock runs away from its wall clock, so that each time seems to be missed. */
export const seemsToMiss = withClock((clock) => ({
  monotonic: () => clock.monotonic() * 4,
  setTimeout: (run, delayMs, options) => clock.setTimeout(run, delayMs + 30, options),
}));

function withTransport(make: (transport: Transport, ports: ProcessPorts) => Partial<Transport>): Wrapper {
  return (ports) => {
    const { transport } = ports;
    const own = make(transport, ports);
    return { ...ports, transport: new Proxy(transport, { get: (target, name) => (Reflect.get(own, name) as unknown) ?? (Reflect.get(target, name) as unknown) }) };
  };
}

/** M1: a message of an entity carries what the one before it to the same actor should have carried, once in a while. */
export const mixesUpMessages = withTransport((transport, { random }) => {
  const before = new Map<string, unknown>();
  return {
    ask: (key, payload, options) => {
      const decoded = decodeEnvelope(payload);
      if (!decoded.ok || decoded.envelope.sender.entity === undefined) return transport.ask(key, payload, options);
      const { envelope } = decoded;
      const to = String(envelope.to);
      const body = before.get(to);
      before.set(to, envelope.body);
      return transport.ask(key, body !== undefined && random.next() < 0.2 ? encodeEnvelope({ ...envelope, body }) : payload, options);
    },
  };
});

function isOfAnEntity(payload: Uint8Array): boolean {
  const decoded = decodeEnvelope(payload);
  return decoded.ok && decoded.envelope.sender.entity !== undefined;
}

/** S3: a message of an entity is confirmed with what the one before it was, and not carried, once in a while. */
export const confirmsWithoutCarrying = withTransport((transport, { random }) => {
  const before = new Map<string, AskOutcome>();
  return {
    ask: async (key, payload, options) => {
      const confirmed = before.get(key);
      if (!isOfAnEntity(payload)) return transport.ask(key, payload, options);
      if (confirmed !== undefined && random.next() < 0.05) return confirmed;
      const outcome = await transport.ask(key, payload, options);
      before.set(key, outcome);
      return outcome;
    },
  };
});

/** S3: no message of an entity is ever carried, and its sender is never told that it was. */
export const carriesNothing = withTransport((transport) => ({
  ask: async (key, payload, options) => {
    if (isOfAnEntity(payload)) throw new Error("no message of an entity is carried");
    return transport.ask(key, payload, options);
  },
}));

/** Something of it is still armed when it has stopped. */
export const leavesATimer = withTransport((transport, { clock }) => ({
  stop: async (withinMs) => {
    await transport.stop(withinMs);
    clock.setTimeout(() => undefined, 3_600_000);
  },
}));

/** S2: performs what a turn says that is never taken: with each effect the one of the turn after it. */
export const performsAhead: Wrapper = (ports) => ({
  ...ports,
  noteEffect: (said) => {
    ports.noteEffect(said);
    const [, before, revision, place] = /^(.*#.*\.)(\d+)(\.\d+)$/.exec(said.key) ?? [];
    if (said.what === "attempt") ports.noteEffect({ ...said, key: `${String(before)}${String(Number(revision) + 1)}${String(place)}` });
  },
});

/** S3, F1: closes effects as done that nobody has confirmed, once in a while. */
export const guessesThatEffectsAreDone: Wrapper = (ports) => ({
  ...ports,
  noteEffect: (said) => {
    if (said.what !== "confirmed" || ports.random.next() < 0.7) ports.noteEffect(said);
  },
});

/** F1: performs once more what was confirmed. */
export const attemptsWhatIsConfirmed: Wrapper = (ports) => ({
  ...ports,
  noteEffect: (said) => {
    ports.noteEffect(said);
    if (said.what === "confirmed") ports.noteEffect({ ...said, what: "attempt" });
  },
});

/** As an edge of before: its records name none before them, what the cloud says of its own is not looked at, and a start does not note how far the stream may have been sent. */
export const comparesNoHashes: Wrapper = (ports) => {
  const stripped = withStore((store) => ({
    values: {
      ...store.values,
      get: async (key) => {
        const [prefix, entity] = key.split(/(?<=^stream-sent)\//u);
        const head = prefix === "stream-sent" && entity !== undefined ? await store.revisionOf(entity) : undefined;
        return head === undefined ? store.values.get(key) : Buffer.from(JSON.stringify({ incarnation: head.incarnation, revision: Number.MAX_SAFE_INTEGER }));
      },
    },
    commit: (batch) =>
      store.commit(
        batch.map((commit) => {
          const { prev: _prev, ...record } = decodeRecord(commit.record);
          if (commit.snapshot === undefined) return { ...commit, record: encodeRecord(record) };
          const { head: _head, ...state } = decodeState(commit.snapshot);
          return { ...commit, record: encodeRecord(record), snapshot: encodeState(state) };
        }),
      ),
  }))(ports);
  const { transport } = ports;
  return {
    ...stripped,
    transport: new Proxy(transport, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (name !== "ask") return typeof value === "function" ? (value.bind(target) as unknown) : value;
        return async (...given: Parameters<typeof transport.ask>) => {
          const outcome = await target.ask(...given);
          const decoded = outcome.kind === "replied" ? decodeEnvelope(outcome.payload) : undefined;
          if (decoded?.ok !== true || decoded.envelope.kind !== "stream-ack" || outcome.kind !== "replied") return outcome;
          const body = decoded.envelope.body as { readonly position?: object };
          const { head: _head, past: _past, ...position } = (body.position ?? {}) as { readonly head?: string; readonly past?: unknown };
          return { ...outcome, payload: encodeEnvelope({ ...decoded.envelope, body: { ...body, position } }) };
        };
      },
    }),
  };
};
