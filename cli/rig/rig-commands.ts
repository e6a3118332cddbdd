// What can be asked of the rig from outside, as one table: name, schema, deed. The control socket and `help` are derived from it.
// A request is `{"do": name, ...parameters}`; an answer says `ok` and, for queries, `result`.

import { Type, type Static, type TObject } from "typebox";
import { Value } from "typebox/value";
import { DroverError } from "../../runtime/ports/index.ts";
import type { SimulatedRig } from "./simulated-rig.ts";

export type RigAnswer = { readonly ok: true; readonly simulated: true; readonly result?: unknown } | { readonly ok: false; readonly simulated: true; readonly error: string };

interface RigCommand {
  readonly what: string;
  readonly parameters: TObject;
  run(rig: SimulatedRig, parameters: never): unknown;
}

const strict = { additionalProperties: false } as const;
const module = Type.String({ minLength: 1, maxLength: 64 });
const on = Type.Optional(Type.Boolean());
const byte = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const version = Type.String({ pattern: `^${byte}\\.${byte}\\.${byte}$` });
const name = Type.String({ pattern: "^[a-z0-9-]{1,16}$" });
const limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 20_000 }));
const since = Type.Optional(Type.Integer({ minimum: 0 }));
const percent = Type.Optional(Type.Number({ minimum: 0, maximum: 100 }));
const between = (minimum: number, maximum: number): ReturnType<typeof optionalNumber> => optionalNumber(minimum, maximum);
const world = Type.Object(
  {
    batteryPercent: percent,
    outsideC: between(-40, 60),
    cabinC: between(-40, 60),
    humidityPercent: percent,
    co2Ppm: between(0, 40_000),
    vocIndex: between(1, 500),
    coPpm: between(0, 1000),
    lpgRatio: between(0, 65),
    freshPercent: percent,
    greyPercent: percent,
    blackPercent: percent,
    sunlight: between(0, 1),
    latitude: between(-85, 85),
    longitude: between(-180, 180),
    altitudeM: between(0, 9000),
  },
  strict,
);

export const RIG_COMMANDS = {
  mute: command("the module sends nothing any more; it still hears and acts", { module }, (rig, p) => {
    rig.mute(p.module);
  }),
  unmute: command("undoes mute", { module }, (rig, p) => {
    rig.unmute(p.module);
  }),
  reboot: command("power off and on: RAM and outputs are lost, a version report follows", { module }, (rig, p) => {
    rig.reboot(p.module);
  }),
  "power-off": command("switches one module off until it is rebooted", { module }, (rig, p) => {
    rig.powerOff(p.module);
  }),
  "brown-out": command("all modules lose power together for offMs (100)", { offMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 60_000 })) }, (rig, p) => {
    rig.brownOut(p.offMs);
  }),
  "ignores-commands": command("the module hears no command frame; on: false undoes it", { module, on }, (rig, p) => {
    rig.setFault(p.module, "ignores-commands", p.on);
  }),
  "toggles-twice": command("a toggle flips twice, 5 ms apart (torrent, switchback)", { module, on }, (rig, p) => {
    rig.setFault(p.module, "toggles-twice", p.on);
  }),
  "heater-stuck": command("Therma's heater relay stays as it is", { on }, (rig, p) => {
    rig.setFault("therma", "heater-stuck", p.on);
  }),
  "cooler-stuck": command("Therma's cooler relay stays as it is", { on }, (rig, p) => {
    rig.setFault("therma", "cooler-stuck", p.on);
  }),
  "wall-button": command(
    "someone presses a switch; via bus: a Tapper sends the toggle frame, via local: no frame is seen",
    { module, channel: Type.Integer({ minimum: 0, maximum: 7 }), via: Type.Optional(Type.Union([Type.Literal("bus"), Type.Literal("local")])) },
    (rig, p) => {
      rig.wallButton(p.module, p.channel, p.via);
    },
  ),
  "no-ack": command(
    "nobody acknowledges: scope bus (all frames stay with their senders), clients (only theirs), none (undo)",
    { scope: Type.Optional(Type.Union([Type.Literal("bus"), Type.Literal("clients"), Type.Literal("none")])) },
    (rig, p) => {
      rig.noAcknowledgement(p.scope ?? "bus");
    },
  ),
  "same-address": command("a second part with the same address and its own MAC is plugged in; answers its name", { module }, (rig, p) => ({ module: rig.plugTwin(p.module) })),
  "old-plateau": command("a Plateau with firmware from before the renumbering, on 0x30 to 0x32", {}, (rig) => ({ module: rig.plugOldPlateau() })),
  unplug: command("takes a module off the bus", { module }, (rig, p) => {
    rig.unplug(p.module);
  }),
  drive: command("the trailer moves", { speedKph: Type.Number({ minimum: 0, maximum: 200 }), courseDegrees: between(0, 359.9) }, (rig, p) => {
    rig.drive(p.speedKph, p.courseDegrees);
  }),
  park: command("it stands", {}, (rig) => {
    rig.park();
  }),
  "trailer-plug": command("the seven-pin plug is connected or not", { connected: Type.Boolean() }, (rig, p) => {
    rig.plugTrailer(p.connected);
  }),
  world: command(`sets what the sensors see: ${Object.keys(world.properties).join(", ")}`, { set: world }, (rig, p) => {
    rig.changeWorld(p.set);
  }),
  state: command("everything a look at the hardware shows; of one module where it is named", { module: Type.Optional(module) }, (rig, p) =>
    p.module === undefined ? rig.state() : rig.moduleState(p.module),
  ),
  frames: command(
    "how many command frames were on the wire, per id and data (hex), with the newest 32 times each",
    { id: Type.Optional(Type.Integer({ minimum: 0, maximum: 0x7ff })), data: Type.Optional(Type.String({ pattern: "^([0-9a-f]{2}){0,8}$" })) },
    (rig, p) => rig.frames.counts(p),
  ),
  "frame-log": command("command frames in order, those after seq `since`", { since, limit }, (rig, p) => rig.frames.log(p.since, p.limit)),
  acts: command(
    "changes of lamps and relays in order, those after seq `since`",
    { since, limit, module: Type.Optional(module), channel: Type.Optional(Type.Integer({ minimum: 0, maximum: 7 })) },
    (rig, p) => ({ total: rig.acts.total, acts: rig.acts.list(p) }),
  ),
  "port-opens": command(
    "so many seconds after the trigger the module's upload port opens (of a real module: the clock factor applies), or never; neither: 3 to 20 s again",
    { module, afterSeconds: between(0, 3600), never: on },
    (rig, p) => {
      rig.setUpdateFault(p.module, { opensAfterMs: p.never === true ? "never" : p.afterSeconds === undefined ? undefined : p.afterSeconds * 1000 });
    },
  ),
  "wrong-version": command(
    "from its next boot on the module reports this version, or the one that it reports now, whatever it runs",
    { module, version: Type.Optional(version), on },
    (rig, p) => {
      if (p.on === false) rig.setUpdateFault(p.module, { lie: undefined });
      else rig.lieAboutVersion(p.module, p.version === undefined ? undefined : versionOf(p.version));
    },
  ),
  "keeps-old-image": command("after an upload the module says 200 and boots what it had", { module, on }, (rig, p) => {
    rig.setUpdateFault(p.module, { keepsOldImage: p.on ?? true });
  }),
  "stays-dark": command("after an upload the module says 200 and is not heard of again until it is rebooted", { module, on }, (rig, p) => {
    rig.setUpdateFault(p.module, { staysDark: p.on ?? true });
  }),
  "hangs-at-start": command("after an upload the module says 200, reports its new version once and hangs until it is rebooted", { module, on }, (rig, p) => {
    rig.setUpdateFault(p.module, { hangsAtStart: p.on ?? true });
  }),
  "slow-upload": command("the module reads so many bytes a second; none: as they come", { module, bytesPerSecond: Type.Optional(Type.Integer({ minimum: 1 })) }, (rig, p) => {
    rig.setUpdateFault(p.module, { bytesPerSecond: p.bytesPerSecond });
  }),
  "upload-ends": command(
    "so many uploads (1) end at atPercent (50) of their bytes: by brown-out (this module's power), reset, cut (the connection alone), stall; times 0 undoes it",
    {
      module,
      how: Type.Optional(Type.Union([Type.Literal("brown-out"), Type.Literal("reset"), Type.Literal("cut"), Type.Literal("stall")])),
      atPercent: percent,
      times: Type.Optional(Type.Integer({ minimum: 0, maximum: 1000 })),
    },
    (rig, p) => {
      const { how = "cut", atPercent = 50, times = 1 } = p;
      rig.setUpdateFault(p.module, { ending: times === 0 ? undefined : { how, atPercent, times } });
    },
  ),
  flash: command(
    "someone writes an image over the cable and the module restarts: what is not named stays as the part came, the version as it is",
    { module, version: Type.Optional(version), type: Type.Optional(name), hardware: Type.Optional(name), address: Type.Optional(Type.Integer({ minimum: 0, maximum: 255 })) },
    (rig, { module: flashed, version: text, ...change }) => {
      rig.flash(flashed, { ...change, ...(text === undefined ? {} : { version: versionOf(text) }) });
    },
  ),
  updates: command(
    "of each module, or of one: its slots, its upload URL, and how many triggers were on the wire, in all and in each window",
    { module: Type.Optional(module) },
    (rig, p) => (p.module === undefined ? rig.updates() : rig.moduleUpdates(p.module)),
  ),
  "upload-urls": command("where each module's upload port opens, by place: for the edge node's configuration", {}, (rig) => rig.uploadUrls()),
} as const;

/** Checks and does one request. Never throws for what was asked. */
export function doCommand(rig: SimulatedRig, request: unknown): RigAnswer {
  const no = (error: string): RigAnswer => ({ ok: false, simulated: true, error });
  if (typeof request !== "object" || request === null || Array.isArray(request)) return no('expected an object such as {"do":"state"}');
  const { do: name, id: _id, ...parameters } = request as Readonly<Record<string, unknown>>;
  if (name === "help") return { ok: true, simulated: true, result: help() };
  if (typeof name !== "string" || !Object.hasOwn(RIG_COMMANDS, name))
    return no(`unknown command ${typeof name === "string" ? `"${name.slice(0, 80)}"` : typeof name}; known: help, ${Object.keys(RIG_COMMANDS).join(", ")}`);
  const chosen: RigCommand = RIG_COMMANDS[name as keyof typeof RIG_COMMANDS];
  if (!Value.Check(chosen.parameters, parameters)) {
    const problems = Value.Errors(chosen.parameters, parameters).slice(0, 3);
    return no(`${name}: ${problems.map((problem) => `${problem.instancePath || "/"} ${problem.message}`).join("; ")}`);
  }
  try {
    const result = chosen.run(rig, parameters as never);
    return result === undefined ? { ok: true, simulated: true } : { ok: true, simulated: true, result };
  } catch (error) {
    if (error instanceof DroverError) return no(`${name}: ${error.message}`);
    throw error;
  }
}

function help(): readonly { readonly do: string; readonly what: string; readonly parameters: readonly string[] }[] {
  return Object.entries(RIG_COMMANDS).map(([name, { what, parameters }]) => ({ do: name, what, parameters: Object.keys(parameters.properties) }));
}

function command<P extends Parameters<typeof Type.Object>[0]>(
  what: string,
  properties: P,
  run: (rig: SimulatedRig, parameters: Static<ReturnType<typeof Type.Object<P>>>) => unknown,
): RigCommand {
  return { what, parameters: Type.Object(properties, strict), run };
}

function versionOf(text: string): readonly [number, number, number] {
  const [major = 0, minor = 0, patch = 0] = text.split(".").map(Number);
  return [major, minor, patch];
}

function optionalNumber(minimum: number, maximum: number): ReturnType<typeof Type.Optional<ReturnType<typeof Type.Number>>> {
  return Type.Optional(Type.Number({ minimum, maximum }));
}
