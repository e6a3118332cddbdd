// A vehicle's signals over HTTP: values with unit, time, age and quality, once and live.

import { test } from "tap";
import type { SignalReading, SignalSource } from "../../../protocols/http/index.ts";
import { connectStream, openStream } from "./event-reader.ts";
import { isProblem, serving } from "./serving.ts";

const VEHICLE = "acme/vehicle/trailer-01";
const SIGNALS = `/v1/vehicles/${encodeURIComponent(VEHICLE)}/signals`;
const EPOCH = 1_767_225_600_000;

const voltage: SignalReading = { name: "Battery.Voltage", value: 12.6, label: undefined, unit: "V", at: EPOCH - 1_500, quality: "good", simulated: true };

/** A FAKE of the signal table of one vehicle: it is told what to say. */
class FakeSignals implements SignalSource {
  readings: SignalReading[] = [voltage];
  #left: () => void = () => undefined;
  readonly listeners = new Set<(changed: readonly SignalReading[]) => void>();

  signals(vehicle: string): readonly SignalReading[] | undefined {
    return vehicle === VEHICLE ? this.readings : undefined;
  }

  watch(_vehicle: string, listener: (changed: readonly SignalReading[]) => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
      this.#left();
    };
  }

  /** Resolves when the next listener goes. */
  left(): Promise<void> {
    return new Promise((resolve) => {
      this.#left = resolve;
    });
  }

  change(reading: SignalReading): void {
    this.readings = [...this.readings.filter((known) => known.name !== reading.name), reading];
    for (const listener of this.listeners) listener([reading]);
  }
}

test("V1. a signal is shown with value, unit, label, time, age and quality; what nobody said is unknown, what the bus calls not available is so called", async (t) => {
  const signals = new FakeSignals();
  signals.readings = [
    voltage,
    { name: "Tow.Connected", value: 1, label: "connected", unit: undefined, at: EPOCH - 60_000, quality: "stale", simulated: false },
    { name: "Vehicle.Speed", value: undefined, label: undefined, unit: "km/h", at: undefined, quality: "unknown", simulated: false },
    { name: "Engine.Speed", value: undefined, label: undefined, unit: "rpm", at: EPOCH - 10, quality: "good", simulated: false },
    { name: "Door.Open", value: undefined, label: undefined, unit: undefined, at: EPOCH - 10, quality: "not-available", simulated: false },
    { name: "Infinite", value: Number.POSITIVE_INFINITY, label: undefined, unit: undefined, at: EPOCH - 10, quality: "good", simulated: false },
    { name: "Ahead", value: 1, label: undefined, unit: undefined, at: EPOCH + 5_000, quality: "good", simulated: false },
  ];
  const { as } = await serving(t, { signals });
  const answer = await as("viewer", { url: SIGNALS });
  t.equal(answer.statusCode, 200);
  t.same(answer.json(), {
    items: [
      { name: "Battery.Voltage", value: 12.6, unit: "V", label: null, time: EPOCH - 1_500, ageMs: 1_500, quality: "good", simulated: true },
      { name: "Tow.Connected", value: 1, unit: null, label: "connected", time: EPOCH - 60_000, ageMs: 60_000, quality: "stale", simulated: false },
      { name: "Vehicle.Speed", value: null, unit: "km/h", label: null, time: null, ageMs: null, quality: "unknown", simulated: false },
      { name: "Engine.Speed", value: null, unit: "rpm", label: null, time: EPOCH - 10, ageMs: 10, quality: "not-available", simulated: false },
      { name: "Door.Open", value: null, unit: null, label: null, time: EPOCH - 10, ageMs: 10, quality: "not-available", simulated: false },
      { name: "Infinite", value: null, unit: null, label: null, time: EPOCH - 10, ageMs: 10, quality: "not-available", simulated: false },
      { name: "Ahead", value: 1, unit: null, label: null, time: EPOCH + 5_000, ageMs: 0, quality: "good", simulated: false },
    ],
  });
});

test("a vehicle whose signals are not known here is 404, once and live; so is every vehicle of a node without signals", async (t) => {
  const { as } = await serving(t, { signals: new FakeSignals() });
  const other = `/v1/vehicles/${encodeURIComponent("acme/vehicle/other")}/signals`;
  isProblem(t, await as("viewer", { url: other }), 404, "no-such-vehicle");
  isProblem(t, await as("viewer", { url: `${other}/stream` }), 404, "no-such-vehicle");
  isProblem(t, await as("viewer", { url: "/v1/vehicles/trailer-01/signals" }), 400, "address-invalid");
  const bare = await serving(t);
  isProblem(t, await bare.as("viewer", { url: SIGNALS }), 404, "no-such-vehicle");
});

test("an actor of a vehicle has no signals: 404, once and live, whatever the source says of it", async (t) => {
  const signals = new FakeSignals();
  signals.signals = () => [];
  const { as } = await serving(t, { signals });
  for (const path of ["signals", "signals/stream"]) {
    const answer = await as("viewer", { url: `/v1/vehicles/${encodeURIComponent(`${VEHICLE}/module/engine`)}/${path}` });
    isProblem(t, answer, 404, "no-such-vehicle");
    t.match(answer.json(), { detail: /an actor of acme\/vehicle\/trailer-01/ });
  }
  t.match((await as("viewer", { url: SIGNALS })).json(), { items: [] }, "a vehicle that has told none yet is one");
});

test("the live stream sends all signals, then only what changed, at most ten times a second with the newest value", async (t) => {
  const signals = new FakeSignals();
  const { app, texts, clock } = await serving(t, { signals });
  const { reader } = await openStream(app, `${SIGNALS}/stream`, { authorization: `Bearer ${texts.viewer}` });
  t.match(await reader.next(), { event: "signals", data: { at: clock.now(), items: [{ name: "Battery.Voltage", value: 12.6 }] } });
  for (let n = 0; n < 100; n++) {
    signals.change({ ...voltage, value: n, at: clock.now() });
    await clock.advance(10);
  }
  await clock.advance(100);
  const changed = reader.events.filter((event) => event.event === "changed");
  t.ok(changed.length >= 9 && changed.length <= 11, `${String(changed.length)} events for a second of changes`);
  t.equal(changed.at(-1)?.data.items[0].value, 99, "the newest value arrives");
  t.ok(changed.every((event) => event.data.items.length === 1));
});

test("nobody listens and no timer runs for a client that has left", async (t) => {
  const signals = new FakeSignals();
  const { app, texts, clock } = await serving(t, { signals });
  const idle = clock.pending;
  const reader = await connectStream(app, `${SIGNALS}/stream`, { authorization: `Bearer ${texts.viewer}` });
  await reader.next();
  t.equal(signals.listeners.size, 1);
  signals.change({ ...voltage, value: 1 });
  const left = signals.left();
  reader.leave();
  await left;
  t.equal(signals.listeners.size, 0);
  t.equal(clock.pending, idle);
});

test("a value that nobody renews grows stale before the reader's eyes", async (t) => {
  const signals = new FakeSignals();
  const { app, texts, clock } = await serving(t, { signals });
  const { reader } = await openStream(app, `${SIGNALS}/stream`, { authorization: `Bearer ${texts.viewer}` });
  await reader.next();
  signals.readings = [{ ...voltage, quality: "stale" }];
  await clock.advance(1_100);
  t.match(await reader.next(), { event: "changed", data: { items: [{ name: "Battery.Voltage", quality: "stale", ageMs: 2_600 }] } });
  await clock.advance(5_000);
  t.equal(reader.events.length, 2, "once");
  reader.leave();
});
