// A vehicle's signals: values with unit, time, age and quality, once or live. A value is not an event (vehicle V3): it comes from the signal table, never from an actor.
//
// G1. The live stream sends all signals, then those that changed, at most MAX_PER_SECOND times a second, each with its newest value only.
// G2. A value that nobody renews grows stale without any change: qualities are looked at again every second.

import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import { type Address, entityOf } from "../../../runtime/index.ts";
import type { Clock, TimeoutHandle } from "../../../runtime/ports/index.ts";
import { addressIn } from "../address-in-path.ts";
import type { EventStream } from "../event-stream.ts";
import { type Problem, sendProblem } from "../problem.ts";
import { answers, listOf } from "../schemas.ts";
import { shownSignal, type SignalReading, type SignalSource } from "../signal-source.ts";
import { addressParams } from "./actors.ts";
import type { Routes } from "./parts.ts";

const MAX_PER_SECOND = 10;
const LOOK_AGAIN_MS = 1_000;

export const signalRoutes: Routes = (plain, { signals, streams, clock }) => {
  const app = plain.withTypeProvider<TypeBoxTypeProvider>();

  app.get(
    "/v1/vehicles/:address/signals",
    { config: { role: "viewer" }, schema: { summary: "A vehicle's signals", tags: ["vehicles"], params: addressParams, response: answers({ 200: listOf("Signal") }) } },
    (request, reply) => {
      const found = sourceOf(signals, request.params.address);
      if ("name" in found) return sendProblem(reply, found);
      return reply.send({ items: found.readings.map((reading) => shownSignal(reading, clock.now())) });
    },
  );

  app.get(
    "/v1/vehicles/:address/signals/stream",
    {
      config: { role: "viewer" },
      exposeHeadRoute: false, // it would hold a stream open that has no body
      schema: {
        summary: "A vehicle's signals, live (server-sent events)",
        description: `\`signals\`: all of them, at first. \`changed\`: those that changed, at most ${String(MAX_PER_SECOND)} times a second. Both carry {items, at}; ages count at \`at\`.`,
        tags: ["vehicles"],
        params: addressParams,
        response: answers({ 200: { description: "the stream", content: { "text/event-stream": { schema: { type: "string" } } } } }),
      },
    },
    (request, reply) => {
      const found = sourceOf(signals, request.params.address);
      if ("name" in found) return sendProblem(reply, found);
      const refusal = streams.refusal(request);
      if (refusal !== undefined) return sendProblem(reply, refusal);
      let live: LiveSignals | undefined = undefined as LiveSignals | undefined;
      const stream = streams.open(request, reply, () => live?.stop());
      live = new LiveSignals(stream, found.source, found.address, clock);
      live.begin(found.readings);
      if (stream.ended) live.stop();
      return reply;
    },
  );
};

function sourceOf(
  source: SignalSource | undefined,
  segment: string,
): { readonly source: SignalSource; readonly address: Address; readonly readings: readonly SignalReading[] } | Problem {
  const address = addressIn(segment);
  if (typeof address !== "string") return address;
  const vehicle = entityOf(address);
  if (vehicle !== address) return { name: "no-such-vehicle", detail: `${address} is an actor of ${vehicle}, whose signals these are.` };
  const readings = source?.signals(address);
  return source === undefined || readings === undefined ? { name: "no-such-vehicle", detail: `No signals of ${address} are known here.` } : { source, address, readings };
}

class LiveSignals {
  readonly #stream: EventStream;
  readonly #source: SignalSource;
  readonly #vehicle: Address;
  readonly #clock: Clock;
  /** Changed since the last event, newest value by name. */
  readonly #waiting = new Map<string, SignalReading>();
  readonly #quality = new Map<string, SignalReading["quality"]>();
  #unwatch: () => void = () => undefined;
  #flush: TimeoutHandle | undefined;
  #look: TimeoutHandle | undefined;

  constructor(stream: EventStream, source: SignalSource, vehicle: Address, clock: Clock) {
    this.#stream = stream;
    this.#source = source;
    this.#vehicle = vehicle;
    this.#clock = clock;
  }

  begin(readings: readonly SignalReading[]): void {
    this.#send("signals", readings);
    this.#unwatch = this.#source.watch(this.#vehicle, (changed) => {
      for (const reading of changed) this.#note(reading);
    });
    this.#lookAgain();
  }

  stop(): void {
    this.#unwatch();
    this.#clock.clearTimeout(this.#flush);
    this.#clock.clearTimeout(this.#look);
  }

  #note(reading: SignalReading): void {
    this.#waiting.set(reading.name, reading);
    this.#flush ??= this.#clock.setTimeout(
      () => {
        this.#flush = undefined;
        const changed = [...this.#waiting.values()];
        this.#waiting.clear();
        this.#send("changed", changed);
      },
      1_000 / MAX_PER_SECOND,
      { unref: true },
    );
  }

  /** G2. */
  #lookAgain(): void {
    this.#look = this.#clock.setTimeout(
      () => {
        for (const reading of this.#source.signals(this.#vehicle) ?? []) if (this.#quality.get(reading.name) !== reading.quality) this.#note(reading);
        if (!this.#stream.ended) this.#lookAgain();
      },
      LOOK_AGAIN_MS,
      { unref: true },
    );
  }

  #send(event: string, readings: readonly SignalReading[]): void {
    const at = this.#clock.now();
    for (const { name, quality } of readings) this.#quality.set(name, quality);
    this.#stream.send({ event, data: { at, items: readings.map((reading) => shownSignal(reading, at)) } });
  }
}
