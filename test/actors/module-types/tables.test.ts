// The tables of module types: true to the database they name, and to the rules of sending.

import { readFileSync } from "node:fs";
import { test } from "tap";
import { builtInModuleTypes, type ModuleType } from "../../../actors/module-types/index.ts";
import { commandFrame } from "../../../actors/vehicle-file/index.ts";
import { type Database, findMessage, findSignal, parseDbc } from "../../../protocols/can/index.ts";
import { checkDemo, dataFile, withoutData } from "../vehicle-file/demo-files.ts";
import { validModel } from "../vehicle-file/small-world.ts";

const TRAILER = "TrailCurrent-tracer-c1bd446.nocomments.dbc";
const family = [...builtInModuleTypes.values()].filter((type) => type.name.startsWith("trailcurrent/"));

function addressesOf(type: ModuleType): readonly number[] {
  return type.place.kind === "numbered" ? Array.from({ length: type.place.to - type.place.from + 1 }, (_, index) => index) : [0];
}

function fill(template: string, address: number, channel = 0): string {
  return template.replaceAll("{address}", String(address)).replaceAll("{channel}", String(channel));
}

function trailer(): Database {
  return parseDbc(readFileSync(dataFile(TRAILER) ?? ""));
}

test("V2. A Torrent is set by brightness and never toggled; a relay's toggle is decided on fresh status, answered late enough, and never repeated", (t) => {
  const light = builtInModuleTypes.get("trailcurrent/torrent")?.commands["light.set"];
  t.match(light, { method: { kind: "set", frame: { message: "TorrentBrightness{address}" } }, repeat: "until-confirmed", value: { kind: "level", from: 0, to: 255 } });
  for (const type of family) {
    for (const [name, { method, repeat, effect, confirm }] of Object.entries(type.commands)) {
      t.notMatch(JSON.stringify(method), /TorrentToggle/, `${type.name} ${name}`);
      if (method.kind !== "toggle") continue;
      t.match(method, { statusAtMostPeriods: 2, answerAfterPeriods: 1, foreign: { message: method.frame.message } }, `${type.name} ${name}`);
      t.same([repeat, effect, confirm?.signal], ["never", "once", "{output}"], `${type.name} ${name}`);
    }
  }
  const relay = builtInModuleTypes.get("trailcurrent/switchback")?.commands["relay.set"];
  t.equal(relay?.method.kind, "toggle");
  t.end();
});

test("V3. Every command names the signals that it reads, and what confirms it is one of them", (t) => {
  for (const type of family) {
    const known = new Set(type.signals.map((signal) => signal.name));
    for (const [name, command] of Object.entries(type.commands)) {
      t.ok(command.reads.length > 0, `${type.name} ${name} reads something`);
      for (const read of command.reads) t.ok(command.scope === "output" ? read === "{output}" : known.has(read), `${type.name} ${name} reads ${read}`);
      if (command.confirm !== undefined) t.ok(command.reads.includes(command.confirm.signal), `${type.name} ${name} is confirmed by what it reads`);
    }
  }
  t.end();
});

test("F1. No command of a table is called idempotent: a frame is once or state, and one that may be repeated names its value", (t) => {
  for (const type of family) {
    for (const [name, command] of Object.entries(type.commands)) {
      t.ok(["once", "state"].includes(command.effect), `${type.name} ${name}`);
      if (command.repeat === "until-confirmed") t.equal(command.method.kind, "set", `${type.name} ${name}`);
      if (command.method.kind !== "set") t.equal(command.effect, "once", `${type.name} ${name}`);
    }
  }
  t.end();
});

test("every module of the family that is an ESP32 takes firmware, by its trigger and, from up to 20 s later, for 180 s, and none can be called back", (t) => {
  const none = family.filter(({ update }) => update === undefined).map(({ name }) => name);
  t.same(none, ["trailcurrent/playbill"], "a Linux board");
  for (const { name, update } of family) if (update !== undefined) t.match(update, { trigger: { message: "OtaUpdateNotification" }, windowMs: 200_000, undo: false }, name);
  t.end();
});

test("every message and signal of the TrailCurrent tables is in its database, at every address and channel", { skip: withoutData(TRAILER) }, (t) => {
  const database = trailer();
  const missing: string[] = [];
  const want = (message: string, signals: readonly string[]): void => {
    const found = findMessage(database, message);
    if (found === undefined) missing.push(message);
    else for (const signal of signals) if (findSignal(found, signal) === undefined) missing.push(`${message}.${signal}`);
  };
  for (const type of family) {
    for (const address of addressesOf(type)) {
      for (const sent of type.sends) want(fill(sent.message, address), []);
      for (const signal of type.signals) want(fill(signal.message, address), [fill(signal.signal, address)]);
      const { outputs } = type;
      for (let channel = outputs?.from ?? 1; channel <= (outputs?.to ?? 0); channel++)
        if (outputs !== undefined) want(fill(outputs.reported.message, address), [fill(outputs.reported.signal, address, channel)]);
      if (type.update !== undefined) {
        want(type.update.trigger.message, type.update.trigger.part);
        want(type.update.report.message, [...type.update.report.part, ...type.update.report.version]);
      }
      for (const { method } of Object.values(type.commands)) {
        want(fill(method.frame.message, address), Object.keys(method.frame.fields));
        if (method.kind === "toggle") want(fill(method.foreign.message, address), [method.foreign.channelField]);
      }
    }
  }
  t.same(missing, []);
  t.end();
});

test("presence messages of one type never come more than three times as rarely as the fastest of them", (t) => {
  for (const type of builtInModuleTypes.values()) {
    const periods = type.sends.filter((sent) => sent.presence && sent.periodMs !== undefined).map((sent) => sent.periodMs ?? 0);
    if (periods.length > 0) t.ok(Math.max(...periods) <= 3 * Math.min(...periods), type.name);
  }
  t.end();
});

test("health rules read signals that wake the module, and every fault has a code of its own", (t) => {
  const codes: string[] = [];
  for (const type of builtInModuleTypes.values()) {
    for (const rule of type.health) {
      t.equal(type.signals.find((signal) => signal.name === rule.signal)?.wakes, true, `${type.name} ${rule.signal}`);
      codes.push(...(rule.kind === "bits" ? rule.bits.map((bit) => bit.code) : [rule.code]));
    }
  }
  t.equal(new Set(codes).size, codes.length);
  t.ok(codes.length >= 11);
  t.end();
});

test("X1. The frames of the trailer's commands are these bytes, written by hand from the modules' manuals", { skip: withoutData(TRAILER) }, (t) => {
  const model = validModel(checkDemo("trailer-01.yaml"));
  const bytes = (command: string, output: string | undefined, value: number): readonly unknown[] => {
    const target = model.commands.find((candidate) => candidate.name === command)?.targets.find((candidate) => candidate.output?.name === output);
    const outcome = target === undefined ? undefined : commandFrame(model, target, value);
    return outcome?.kind === "frame" ? [outcome.frame.id, ...outcome.frame.data] : [outcome?.reason ?? "no target"];
  };
  t.same(bytes("light.set", "galley", 128), [0x15, 0, 128]);
  t.same(bytes("light.set", "bed", 0), [0x15, 2, 0]);
  t.same(bytes("light.set", "step", 255), [0x16, 1, 255]);
  t.same(bytes("awning.set", "awning", 1), [0x25, 1, 0]);
  t.same(bytes("relay.set", "pump", 1), [0x25, 0, 0]);
  t.same(bytes("climate.setpoint.request", undefined, 21.5), [0x41, 0x00, 0xd7]);
  t.same(bytes("climate.setpoint.request", undefined, 5), [0x41, 0x00, 0x32]);
  for (const level of [-1, 256, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) t.match(bytes("light.set", "galley", level), [/not a whole number from 0 to 255/]);
  for (const setpoint of [4.9, 35.1, Number.NaN]) t.match(bytes("climate.setpoint.request", undefined, setpoint), [/not from 5 to 35 degC/]);
  t.match(bytes("relay.set", "pump", 2), [/neither 0 nor 1/]);
  t.end();
});
