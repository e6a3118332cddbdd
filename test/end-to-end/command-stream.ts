// A stream of light.set commands over HTTP, each with a key and a level that its lamp gets only once, so that the bus tells which of them acted and how often.

import { setTimeout as pause } from "node:timers/promises";
import type { StartedRig } from "../../cli/rig/index.ts";
import type { Api } from "./api-client.ts";
import { type Ending, TRAILER } from "./fleet.ts";

interface Lamp {
  readonly module: string;
  readonly output: string;
  readonly frameId: number;
  readonly channel: number;
}

const lamp = (torrent: 0 | 1, output: string, channel: number): Lamp => ({ module: `${TRAILER}/module/torrent-${torrent}`, output, frameId: 0x15 + torrent, channel });
const LAMPS: readonly Lamp[] = [lamp(0, "galley", 0), lamp(0, "porch", 1), lamp(0, "bed", 2), lamp(1, "bath", 0), lamp(1, "step", 1)];
/** Who speaks at the same time, each through its lamps one after another. */
const SPEAKERS: readonly (readonly Lamp[])[] = [LAMPS.slice(0, 2), LAMPS.slice(2, 4), LAMPS.slice(4)];
const LEVELS = 255;
const ANSWER_MS = 1_200;
/** After an answer that is no confirmation: a node that is away is away for a while. */
const CALM_MS = 200;

export interface Sent {
  readonly lamp: Lamp;
  readonly level: number;
  readonly key: string;
  /** What the first asking told: `confirmed`, `superseded`, or a problem's name or 0 for none. */
  told: string;
}

export interface CommandStream {
  readonly sent: readonly Sent[];
  /** Commands that were told to be confirmed. */
  readonly confirmed: number;
  /** Resolves when the last one was answered. */
  stop(): Promise<void>;
}

/** Ends with the test. @param everyMs of each speaker */
export function commandStream(t: Ending, api: Api, everyMs: number): CommandStream {
  const sent: Sent[] = [];
  const ended = new AbortController();
  let confirmed = 0;
  const speak = async (lamps: readonly Lamp[]): Promise<void> => {
    for (const one of lamps) {
      for (let level = 1; !ended.signal.aborted && level <= LEVELS; level++) {
        const command: Sent = { lamp: one, level, key: `${one.output}-${level}`, told: "" };
        sent.push(command);
        const [told] = await Promise.all([askFor(api, command), pause(everyMs)]);
        command.told = told;
        if (told === "confirmed") confirmed++;
        else await pause(CALM_MS);
      }
    }
  };
  const done = Promise.all(SPEAKERS.map(speak));
  const stop = async (): Promise<void> => {
    ended.abort();
    await done;
  };
  t.teardown(stop);
  return {
    sent,
    get confirmed() {
      return confirmed;
    },
    stop,
  };
}

export async function askFor(api: Api, { lamp, level, key }: Sent, timeoutMs = ANSWER_MS): Promise<string> {
  const { status, body } = await api.ask(lamp.module, { type: "light.set", output: lamp.output, level }, { key, timeoutMs });
  if (status === 200) return String(body.reply.outcome);
  return status === 0 ? "no answer" : String(body.type).replace("urn:drover:problem:", "");
}

/** How often the command's frame was on the bus. */
export function actsOf({ rig }: StartedRig, { lamp, level }: Sent): number {
  return rig.frames.counts({ id: lamp.frameId, data: Buffer.from([lamp.channel, level]).toString("hex") }).counts.reduce((sum, { count }) => sum + count, 0);
}

/** Asks every command that was not confirmed again until its outcome is final. */
export async function settle(api: Api, commands: readonly Sent[], withinMs: number): Promise<ReadonlyMap<Sent, string>> {
  const outcomes = new Map<Sent, string>();
  const began = performance.now();
  const FINAL = ["confirmed", "superseded", "refused"];
  // One after another per lamp: asked at once they would supersede each other.
  await Promise.all(
    LAMPS.map(async (one) => {
      for (const command of commands.filter((each) => each.lamp === one)) {
        let outcome = await askFor(api, command, 3_000);
        while (!FINAL.includes(outcome) && performance.now() - began < withinMs) {
          await pause(100);
          outcome = await askFor(api, command, 3_000);
        }
        outcomes.set(command, outcome);
      }
    }),
  );
  return outcomes;
}
