// The demo's vehicle files, databases and recordings together: values in real units come out of real frames.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { checkVehicle, resolverOver, type VehicleModel } from "../../../actors/vehicle-file/index.ts";
import { createFrameBatch, createSignalTable, createWatches, type SignalTable } from "../../../protocols/can/index.ts";
import { openLog } from "../../../protocols/can-log/index.ts";
import { demoData } from "./decoded-files.ts";

const vehicles = join(demoData, "../vehicles");

function modelOf(name: string): VehicleModel {
  const file = join(vehicles, name);
  const checked = checkVehicle(
    { file, text: readFileSync(file, "utf8") },
    resolverOver(
      (path) => (existsSync(path) ? readFileSync(path) : undefined),
      (folder) => readdirSync(folder),
    ),
  );
  if (checked.kind === "invalid") throw new Error(JSON.stringify(checked.problems));
  return checked.model;
}

function tableOf(model: VehicleModel): SignalTable {
  return createSignalTable({ buses: model.buses, signals: model.signals });
}

async function drive(table: SignalTable, log: string, collect: (nowMs: number) => void = () => undefined): Promise<number> {
  const reader = await openLog(join(demoData, log));
  const batch = createFrameBatch(64);
  let lastMs = 0;
  while ((await reader.fill(batch)) > 0) {
    table.feed(batch, reader.buses);
    lastMs = (batch.timesS[batch.count - 1] ?? 0) * 1_000;
    collect(lastMs);
    batch.count = 0;
  }
  await reader.close();
  return lastMs;
}

test("the truck shows speed, coolant, fuel and odometer in real units", async (t) => {
  const table = tableOf(modelOf("truck-01.yaml"));
  const endMs = await drive(table, "j1939_truck_gnss.log.gz");
  const values = new Map(table.readAll(endMs).map((reading) => [reading.name, reading] as const));
  const inRange = (name: string, low: number, high: number): void => {
    const reading = values.get(name);
    t.ok(reading?.value !== undefined && reading.value >= low && reading.value <= high, `${name}: ${reading?.value} ${reading?.unit} (${reading?.quality})`);
  };
  inRange("Vehicle.Powertrain.CombustionEngine.Speed", 500, 2_500);
  inRange("Vehicle.Powertrain.CombustionEngine.ECT", 20, 110);
  inRange("Vehicle.CurrentLocation.Latitude", -90, 90);
  t.ok([...values.values()].filter((reading) => reading.quality === "good").length >= 10);
});

test("the RAV4's signals are fresh at the end of the drive, and its watches keep their rate", async (t) => {
  const model = modelOf("rav4-01.yaml");
  const table = tableOf(model);
  const watches = createWatches(table, model.watches);
  const perWatch = new Map<string, number[]>();
  const endMs = await drive(table, "comma2k19_rav4_60s.log.gz", (nowMs) => {
    for (const event of watches.collect(nowMs)) perWatch.set(event.signal, [...(perWatch.get(event.signal) ?? []), event.timeMs]);
  });
  t.strictSame(
    table.readAll(endMs).filter((reading) => reading.quality !== "good"),
    [],
  );
  const speed = table.read("Vehicle.Speed", endMs);
  t.ok(speed?.value !== undefined && speed.value > 0 && speed.value < 150, `${speed?.value} ${speed?.unit}`);
  for (const watch of model.watches) {
    const times = perWatch.get(watch.signal) ?? [];
    t.ok(times.length > 0, `${watch.signal}: ${times.length} events`);
    t.ok(times.every((ms, index) => index === 0 || ms - (times[index - 1] ?? 0) >= watch.atMostMs - 1e-6));
  }
});

test("the trailer's file and its overlay fit the table", (t) => {
  const table = tableOf(modelOf("trailer-01.yaml"));
  t.ok(table.signals.length > 20);
  t.ok(table.readAll(0).every((reading) => reading.quality === "unknown"));
  t.end();
});
