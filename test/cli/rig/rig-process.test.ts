// The rig as it is used: a process of its own, on the real clock, killed and started again.

import { join } from "node:path";
import { test } from "tap";
import { connectRigControl } from "../../../cli/rig/control-client.ts";
import { type RigListening, rigWorker } from "../../../cli/rig/rig.worker.ts";
import { createRigBus } from "../../../protocols/rig-bus/index.ts";
import { startWorker, systemClock, systemRandom, type Running } from "../../../runtime/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { socketDir } from "../../protocols/rig-bus/connected-rig.ts";

/** Resolves when `isSo` holds, looked at after each batch and change of state. */
interface Watch {
  look(): void;
  until(what: string, isSo: () => boolean): Promise<void>;
}

function watch(): Watch {
  const waiting = new Set<() => void>();
  return {
    look: () => {
      for (const check of waiting) check();
    },
    until: (what, isSo) =>
      new Promise((resolve, reject) => {
        const timer = systemClock.setTimeout(() => {
          waiting.delete(check);
          reject(new Error(`waited 10 s for: ${what}`));
        }, 10_000);
        const check = (): void => {
          if (!isSo()) return;
          waiting.delete(check);
          systemClock.clearTimeout(timer);
          resolve();
        };
        waiting.add(check);
        check();
      }),
  };
}

test("a rig that is killed and started again is found again; only the thermostat remembers", async (t) => {
  const dir = socketDir(t);
  const ports = { clock: systemClock, random: systemRandom, log: silentLog };
  let listening: RigListening | undefined;
  const startOne = (): Promise<Running> =>
    startWorker(rigWorker, { rigs: [{ socketDir: dir, nonVolatileFile: join(dir, "flash.json"), seed: 1 }] }, { isolation: "process", into: (item) => (listening = item) }, ports);
  const first = await startOne();
  t.teardown(() => {
    first.kill();
  });
  t.match(listening, { kind: "listening", busSocket: join(dir, "can0.sock") });

  const seen = watch();
  const newest = new Map<number, string>();
  let gaps: number[] = [];
  let lastAt: number | undefined;
  const bus = createRigBus({ path: join(dir, "can0.sock"), mode: "normal" }, ports);
  await bus.start({
    onFrames: (batch) => {
      for (let at = 0; at < batch.count; at++) {
        const id = batch.ids[at] ?? 0;
        newest.set(id, Buffer.from(batch.data.subarray(at * 64, at * 64 + (batch.lengths[at] ?? 0))).toString("hex"));
        if (id !== 0x1b) continue;
        const ms = (batch.timesS[at] ?? 0) * 1000;
        if (lastAt !== undefined) gaps.push(ms - lastAt);
        lastAt = ms;
      }
      seen.look();
    },
    onState: () => {
      seen.look();
    },
  });
  t.teardown(() => bus.stop());
  await seen.until("a second of Torrent's status", () => gaps.length > 30);
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  // Above only as far as a busy machine holds the process up.
  t.ok(mean > 31 && mean < 60, `33 ms on the real clock too: ${String(mean)}`);

  t.match(await bus.send({ id: 0x15, data: Uint8Array.of(2, 200) }, { withinMs: 1000 }), { kind: "sent" });
  t.match(await bus.send({ id: 0x41, data: Uint8Array.of(0x00, 0xe1) }, { withinMs: 1000 }), { kind: "sent" });
  await seen.until("both confirmed", () => newest.get(0x1b) === "0000c80000000000" && newest.get(0x3f) === "00e10a");
  const control = await connectRigControl(join(dir, "control.sock"), systemClock);
  t.match(await control.ask({ do: "acts", module: "torrent-0" }), { ok: true, result: { acts: [{ channel: 2, to: 200 }] } });

  first.kill();
  await seen.until("down", () => bus.state.kind === "down");
  t.match(await bus.send({ id: 0x15, data: Uint8Array.of(2, 0) }, { withinMs: 1000 }), { kind: "refused", reason: "down" });
  t.match(await control.ask({ do: "state" }), { ok: false });
  newest.clear();
  gaps = [];
  lastAt = undefined;

  const second = await startOne();
  t.teardown(() => {
    second.kill();
  });
  await seen.until("status and set point again", () => newest.has(0x1b) && newest.has(0x3f));
  t.equal(newest.get(0x1b), "0000000000000000", "lamps are RAM");
  t.equal(newest.get(0x3f), "00e10a", "the set point is flash");
  second.stop();
  t.match(await second.exited, { kind: "shutdown" });
});
