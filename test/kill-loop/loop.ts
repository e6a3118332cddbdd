// Kills a node with SIGKILL at random moments of a stream of commands, again and again, and keeps the ledger outside of it.
//
// L1. Each of so many lanes has one command under way; what the node did not answer before it was killed is sent again with the same id (rules M2).
// L2. An entity takes so many commands; then it is judged as soon as it has come to rest, and no more activated until the end, where all are judged once more.
// L3. One kill of four comes while the node starts. Some confirmations of effects come late, so that there is always something undecided.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { SeededRandom } from "../../runtime/simulation/index.ts";
import type { JobState, SinkState } from "./job.ts";
import { WHATS } from "./job.ts";
import { Ledger, type Order } from "./ledger.ts";
import type { FromNode, ToNode } from "./protocol.ts";

const LANES = 16;
const ORDERS_PER_ENTITY = 40;
const LONGEST_TIMER_MS = 2_500;
const LATE_CONFIRMATIONS = 0.15;
const LATEST_CONFIRMATION_MS = 1_500;
const LIFE_MS = 900;
const START_WITHIN_MS = 60_000;
const REST_WITHIN_MS = 45_000;

const program = fileURLToPath(new URL(`./_node${import.meta.url.slice(-3)}`, import.meta.url));

export interface KillLoopReport {
  readonly kills: number;
  readonly killsWhileStarting: number;
  readonly seconds: number;
  readonly entities: number;
  readonly totals: Readonly<Record<string, number>>;
  /** Reported `unknown` by the actors. */
  readonly unknown: number;
  readonly wrong: readonly string[];
}

interface Lane {
  entity: string;
  left: number;
  order: Order | undefined;
}

export async function killLoop(options: {
  readonly kills: number;
  readonly seed: number;
  readonly folder: string;
  readonly progress?: (line: string) => void;
}): Promise<KillLoopReport> {
  const random = new SeededRandom(options.seed);
  // Moments of kills have a sequence of their own: how often the other is drawn from depends on what the machine does.
  const moments = new SeededRandom(options.seed + 1_000_000);
  const ledger = new Ledger();
  const path = join(options.folder, "journal.db");
  const entities: string[] = [];
  const atRest = new Set<string>();
  const states = new Map<string, { readonly job: JobState | undefined; readonly sink: SinkState | undefined }>();
  const wrong: string[] = [];
  const lanes: Lane[] = Array.from({ length: LANES }, () => newLane());
  let node: ChildProcess | undefined;
  let heard = (_message: FromNode): void => undefined;
  let isOrdering = true;
  let killsWhileStarting = 0;
  let lastNumber = 0;
  const began = performance.now();

  function newLane(): Lane {
    const entity = `acme/job/j${String(entities.length)}`;
    entities.push(entity);
    return { entity, left: ORDERS_PER_ENTITY, order: undefined };
  }

  const send = (message: ToNode): void => {
    if (node?.connected === true) node.send(message, () => undefined);
  };

  function start(live: readonly string[]): ChildProcess {
    const child = fork(program, [path, ...live], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    child.on("message", (message: FromNode) => {
      if (child === node) take(message);
    });
    child.on("error", () => undefined);
    return (node = child);
  }

  function take(message: FromNode): void {
    if (message.kind === "told") told(message.id, message.outcome);
    else if (message.kind === "act") act(message);
    else if (message.kind === "activated") for (const lane of lanes) if (lane.entity === message.entity) submit(lane);
    if (message.kind === "state") states.set(message.entity, message);
    heard(message);
  }

  function submit(lane: Lane): void {
    if (lane.order === undefined) {
      if (!isOrdering) return;
      const what = WHATS[random.uint32() % WHATS.length] ?? "paint";
      const n = ++lastNumber;
      lane.order = { id: `order-${String(n)}`, entity: lane.entity, what, n, ms: random.uint32() % LONGEST_TIMER_MS, isAccepted: false };
      ledger.orders.push(lane.order);
    }
    send({ kind: "command", ...lane.order });
  }

  function told(id: string, outcome: string): void {
    const lane = lanes.find(({ order }) => order?.id === id);
    if (lane?.order === undefined) return;
    if (outcome !== "accepted") {
      // Not the last word: the same id again, until it is decided.
      setTimeout(() => {
        if (lane.order?.id === id) submit(lane);
      }, 50);
      return;
    }
    lane.order.isAccepted = true;
    lane.order = undefined;
    if (--lane.left > 0) submit(lane);
    else {
      Object.assign(lane, newLane());
      send({ kind: "activate", entity: lane.entity });
    }
  }

  function act({ act: number, effect, n }: Extract<FromNode, { kind: "act" }>): void {
    ledger.happened(effect, n);
    const child = node;
    const confirm = (): void => {
      if (child !== node || child?.connected !== true) return;
      ledger.confirmed(effect, n);
      send({ kind: "confirm", act: number });
    };
    if (random.next() < LATE_CONFIRMATIONS) setTimeout(confirm, random.next() * LATEST_CONFIRMATION_MS);
    else confirm();
  }

  const until = (isIt: (message: FromNode) => boolean, withinMs: number): Promise<boolean> =>
    new Promise((resolve) => {
      const timeout = setTimeout(() => {
        heard = () => undefined;
        resolve(false);
      }, withinMs);
      heard = (message) => {
        if (!isIt(message)) return;
        clearTimeout(timeout);
        heard = () => undefined;
        resolve(true);
      };
    });

  async function started(live: readonly string[]): Promise<void> {
    const child = start(live);
    const ready = until(({ kind }) => kind === "ready", START_WITHIN_MS);
    if (!(await ready)) throw new Error(`the node was not ready within ${String(START_WITHIN_MS)} ms`);
    if (child.exitCode !== null) throw new Error(`the node ended with ${String(child.exitCode)}`);
  }

  async function kill(): Promise<void> {
    const child = node;
    node = undefined;
    if (child === undefined) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  /** States of entities, by asking; judged where that is wanted. */
  async function look(asked: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    for (const entity of asked) states.delete(entity);
    const all = until(() => asked.every((entity) => states.has(entity)), 10_000);
    for (const entity of asked) send({ kind: "read", entity });
    await all;
    return new Map(
      asked.map((entity) => {
        const { job, sink } = states.get(entity) ?? { job: undefined, sink: undefined };
        return [entity, ledger.judge(entity, job, sink)];
      }),
    );
  }

  const running = (): readonly string[] => entities.filter((entity) => !atRest.has(entity));
  const isFull = (entity: string): boolean => !lanes.some((lane) => lane.entity === entity);

  for (let kills = 0; kills < options.kills; kills++) {
    if (moments.next() < 0.25) {
      start(running());
      await pause(moments.next() * 600);
      killsWhileStarting++;
    } else {
      await started(running());
      for (const lane of lanes) send({ kind: "activate", entity: lane.entity });
      await pause(moments.next() * LIFE_MS);
      // L2. A timer may still be armed or an effect be under way: judged again later.
      const full = running().filter(isFull);
      if (full.length > 0) for (const [entity, problems] of await look(full)) if (problems.length === 0) atRest.add(entity);
    }
    await kill();
    if ((kills + 1) % 20 === 0) options.progress?.(`${String(kills + 1)} kills, ${String(ledger.orders.length)} commands`);
  }

  isOrdering = false;
  await started(running());
  for (const lane of lanes) send({ kind: "activate", entity: lane.entity });
  const deadline = performance.now() + REST_WITHIN_MS;
  for (let open = running(); open.length > 0 && performance.now() < deadline; open = running()) {
    await pause(250);
    for (const [entity, problems] of await look(open)) if (problems.length === 0 && lanes.every((lane) => lane.entity !== entity || lane.order === undefined)) atRest.add(entity);
  }
  await kill();
  // Once more from the disk, all of them.
  await started(entities);
  for (const problems of (await look(entities)).values()) wrong.push(...problems);
  const unknown = [...states.values()].reduce((sum, { job }) => sum + Object.keys(job?.unknown ?? {}).length, 0);
  const ended = node === undefined ? undefined : once(node, "exit");
  send({ kind: "stop" });
  await ended;
  return { kills: options.kills, killsWhileStarting, seconds: Math.round((performance.now() - began) / 1_000), entities: entities.length, totals: ledger.totals(), unknown, wrong };
}
