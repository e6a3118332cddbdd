// The shape of the three files that describe a vehicle: model, vehicle, overlay (vehicle D1 to D3). Published as JSON Schema for editors, and walked by
// `checkShape`, so that an editor and `drover vehicle check` agree. What a schema cannot say (does this name exist?) is checked afterwards.
//
// F1. Unknown keys are errors: every object is closed, or open over a pattern of names.
// F2. Durations, rates and budgets are texts with their unit; a bare number is refused, so that nobody guesses seconds or milliseconds. A duration is more than nothing and shorter
//     than four years: more digits are a slip.

import { type Static, Type } from "typebox";

const closed = { additionalProperties: false } as const;

/** By unit, so many digits before the point. */
const DIGITS = { ms: 11, s: 8, m: 6, h: 4, d: 3 };
const DURATION = `^(?=.*[1-9])(${Object.entries(DIGITS)
  .map(([unit, digits]) => `[0-9]{1,${String(digits)}}(\\.[0-9]{1,6})?${unit}`)
  .join("|")})$`;
const duration = (description: string) => Type.String({ pattern: DURATION, description, title: "a duration such as 500ms, 5s, 2m, 1h, 7d; more than nothing, at most 999d" });
const signalReference = (description: string) =>
  Type.String({ pattern: "^[a-z][a-z0-9_-]*\\.[^.]+\\..+$", description, title: "BUS.MESSAGE.SIGNAL, or BUS.MODULE.MESSAGE.SIGNAL for one J1939 sender" });
const fileName = (description: string) => Type.String({ minLength: 1, maxLength: 255, description, title: "a file name" });
const conditionText = (description: string) => Type.String({ minLength: 1, maxLength: 1000, description, title: "a condition such as Vehicle.Speed < 3 for 120s" });
const byName = <S extends Parameters<typeof Type.Record>[1]>(pattern: string, title: string, value: S) =>
  Type.Record(Type.String({ pattern }), value, { ...closed, title, maxProperties: MAX_ENTRIES });

/** More of one kind no vehicle has; it keeps the work of a check small whatever the file says. */
const MAX_ENTRIES = 2_000;

/** Names of places, buses and conditions are segments of addresses and words of conditions. */
const PLACE = "^[a-z][a-z0-9-]{0,63}$";
const BUS = "^[a-z][a-z0-9_-]{0,31}$";
const SIGNAL = "^[A-Za-z][A-Za-z0-9_]*(\\.[A-Za-z0-9_]+)*$";
/** Also the signals of modules, such as torrent-0.galley. */
const ANY_SIGNAL = "^[A-Za-z][A-Za-z0-9_-]*(\\.[A-Za-z0-9_-]+)*$";
const COMMAND = "^[a-z][a-z0-9]*(\\.[a-z][a-z0-9-]*)+$";

const bus = Type.Object(
  {
    dbc: fileName("The CAN database of this bus, beside this file."),
    overlay: Type.Optional(
      Type.Union([fileName("Corrections laid over the database."), Type.Array(fileName("Corrections laid over the database; later files win."), { minItems: 1 })]),
    ),
    match: Type.Optional(
      Type.Union([Type.Literal("exact"), Type.Literal("j1939")], { description: "How a frame finds its message: by identifier (default), or by J1939 parameter group." }),
    ),
    bitrate: Type.Optional(
      Type.Union([Type.Integer({ minimum: 5000, maximum: 8_000_000 }), Type.Array(Type.Integer({ minimum: 5000, maximum: 8_000_000 }), { minItems: 1 })], {
        description: "Bits per second, or those to try in order.",
      }),
    ),
    mode: Type.Optional(
      Type.Union([Type.Literal("listen-only"), Type.Literal("normal")], { description: "listen-only (default): nothing is ever sent. normal: listed commands may be sent." }),
    ),
    max_tx: Type.Optional(
      Type.String({
        pattern: "^[0-9]{1,9}(\\.[0-9]{1,6})?/s$",
        title: "a rate such as 50/s",
        description: "Most frames that are sent within any second; what is more is refused. Less than 1/s: one in so many seconds. Default 50/s.",
      }),
    ),
    period_attribute: Type.Optional(
      Type.String({
        minLength: 1,
        title: "the name of an attribute",
        description: "Message attribute that holds the period in ms where GenMsgCycleTime is absent; default CycleTime.",
      }),
    ),
  },
  closed,
);

const module = Type.Object(
  {
    use: Type.Optional(
      Type.String({
        pattern: "^[a-z0-9-]+/[a-z0-9-]+$",
        title: "a module type such as trailcurrent/torrent",
        description: "The module's type; without it only presence is watched.",
      }),
    ),
    bus: Type.String({ pattern: BUS, title: "the name of a bus", description: "The bus it is on." }),
    address: Type.Optional(Type.Integer({ minimum: 0, maximum: 255, description: "Its number where a type may occur several times." })),
    hardware: Type.Optional(
      Type.String({
        pattern: "^[a-z0-9][a-z0-9._-]{0,63}$",
        title: "a hardware name such as esp32-s3",
        description: "What its firmware is built for; without it no rollout updates it.",
      }),
    ),
    sa: Type.Optional(Type.Integer({ minimum: 0, maximum: 253, description: "J1939 source address." })),
    outputs: Type.Optional(byName("^[0-9]{1,3}$", "a channel number", Type.String({ pattern: PLACE, title: "a name such as galley" }))),
    presence: Type.Optional(
      Type.Object(
        {
          message: Type.Optional(Type.String({ minLength: 1, title: "a message of the bus's database", description: "A message that proves that it is there." })),
          silent_after: Type.Optional(duration("How long it may be quiet; default three periods, at least 1 s.")),
        },
        closed,
      ),
    ),
    periods: Type.Optional(byName("^.+$", "a message of the module", duration("The period of that message; comes before every other source."))),
  },
  closed,
);

const unit = Type.String({ minLength: 1, title: "a unit such as km/h, V, degC, rpm" });

const signal = Type.Object(
  {
    from: Type.Optional(signalReference("The signal it is taken from.")),
    sum: Type.Optional(
      Type.Array(Type.String({ minLength: 1, title: "BUS.MESSAGE.SIGNAL or NUMBER * BUS.MESSAGE.SIGNAL" }), {
        minItems: 1,
        maxItems: 8,
        description: "Signals of one bus that are added up.",
      }),
    ),
    factor: Type.Optional(Type.Number({ description: "Multiplies the value; default 1." })),
    offset: Type.Optional(Type.Number({ description: "Added after the factor; default 0." })),
    negate_if: Type.Optional(signalReference("A sign flag: the value is negated while it is not 0.")),
    valid_if: Type.Optional(signalReference("A validity flag: the value is unknown while it is 0.")),
    bit: Type.Optional(Type.Integer({ minimum: 0, maximum: 63, description: "One bit of the raw value, 0 has weight 1." })),
    enum: Type.Optional(byName("^-?[0-9]+$", "a whole number", Type.String({ minLength: 1, title: "a word for the value, such as open" }))),
    unit: Type.Optional(unit),
    stale_after: Type.Optional(duration("Age from which it is no longer believed; default three periods of its message, at least 1 s.")),
  },
  closed,
);

const target = Type.String({ minLength: 1, title: "MODULE, MODULE.OUTPUT, or a pattern with *, such as torrent-*" });

const command = Type.Object(
  {
    to: Type.Union([target, Type.Array(target, { minItems: 1, maxItems: MAX_ENTRIES })], {
      description: "MODULE, MODULE.OUTPUT, or a pattern with *, such as torrent-*.",
    }),
    as: Type.Optional(
      Type.String({ pattern: COMMAND, title: "a command such as relay.set", description: "The command of the module type that it runs as; default its own name." }),
    ),
    guard: Type.Optional(conditionText("Must be true, on fresh values, when it is taken and again when it leaves.")),
    deadline: Type.Optional(
      duration(
        "How long after it was taken its frame may still be put on the bus; later it is not sent. Its confirmation is awaited for longer: after the frame three periods of the status that shows it and 1 s, at least 1.5 s, and 5 s where no period is known.",
      ),
    ),
    ttl: Type.Optional(duration("How long after it was given it may still be carried out.")),
    when_away: Type.Optional(
      Type.Union([Type.Literal("refuse"), Type.Literal("wait"), Type.Literal("run-at-owner")], {
        description:
          "What happens while the vehicle cannot be reached. refuse, run-at-owner: its sender is told so, and it never acts. wait: it is kept in the cloud for at most its ttl, and judged by the vehicle when that is there. Default: that of the module's type.",
      }),
    ),
  },
  closed,
);

const watch = Type.Object(
  {
    deadband: Type.Optional(Type.Number({ minimum: 0, description: "Smallest change that counts, in the signal's unit." })),
    at_most: Type.Optional(duration("Never more often than this; default 5s.")),
    above: Type.Optional(Type.Number({ description: "Report when it rises above this." })),
    below: Type.Optional(Type.Number({ description: "Report when it falls below this." })),
  },
  closed,
);

const power = Type.Object(
  Object.fromEntries(
    ["asleep", "standby", "key-on", "cranking", "running", "low", "critical"].map((state) => [state, Type.Optional(conditionText(`When the supply is ${state}.`))]),
  ),
  { ...closed, description: "States of the supply; which exist is said here." },
);

const telemetry = Type.Object(
  {
    budget: Type.Optional(
      Type.String({ pattern: "^[0-9]{1,9}(\\.[0-9]{1,6})?(kB|MB|GB)/(day|month)$", title: "a budget such as 1GB/month", description: "What the uplink may use." }),
    ),
    state: Type.Optional(
      Type.Object(
        {
          at_most: Type.Optional(duration("Never more often than this; default 5s.")),
          on_change: Type.Array(Type.String({ minLength: 1, title: "a signal's name, or a pattern with *" }), { minItems: 1, maxItems: MAX_ENTRIES }),
        },
        closed,
      ),
    ),
  },
  closed,
);

export const modelFileSchema = Type.Object(
  {
    model: Type.String({ pattern: PLACE, title: "a name such as trailcurrent-trailer", description: "The name of the vehicle model." }),
    version: Type.Integer({ minimum: 1, description: "Raised with every change that reaches a vehicle." }),
    buses: byName(BUS, "the name of a bus, such as can0", bus),
    modules: Type.Optional(byName(PLACE, "the place of a module, such as torrent-0", module)),
    signals: Type.Optional(byName(SIGNAL, "a name such as Vehicle.Speed", signal)),
    conditions: Type.Optional(byName(PLACE, "a name such as parked", conditionText("comparison, for, silent for, and, or, not, parentheses"))),
    power: Type.Optional(power),
    clock: Type.Optional(
      Type.Array(Type.String({ pattern: "^(ntp|rtc|[a-z][a-z0-9_-]*\\.[^.]+)$", title: "ntp, rtc or BUS.MESSAGE" }), { minItems: 1, description: "Sources of time, best first." }),
    ),
    commands: Type.Optional(byName(COMMAND, "a command such as light.set", command)),
    watches: Type.Optional(byName(ANY_SIGNAL, "the name of a signal", watch)),
    telemetry: Type.Optional(telemetry),
  },
  { ...closed, title: "Drover vehicle model", description: "Buses, modules, signals, conditions, commands, watches and telemetry of one model of vehicle." },
);

export const vehicleFileSchema = Type.Object(
  {
    vehicle: Type.String({
      pattern: "^[A-Za-z0-9_.~-]+/vehicle/[A-Za-z0-9_.~-]+$",
      title: "an address such as acme/vehicle/trailer-07",
      description: "The address of this vehicle.",
    }),
    model: Type.String({
      pattern: "^[a-z][a-z0-9-]*(@[1-9][0-9]*)?$",
      title: "a model such as trailcurrent-trailer@3",
      description: "The model it is one of, with the version if it must be that one.",
    }),
    labels: Type.Optional(byName("^[A-Za-z][A-Za-z0-9_.-]{0,62}$", "a label's name", Type.String({ maxLength: 256 }))),
    parts: Type.Optional(byName(PLACE, "the place of a module", Type.String({ pattern: "^(mac|name|serial):.+$", title: "mac:…, name:… or serial:…, in quotes" }))),
  },
  { ...closed, title: "Drover vehicle", description: "One vehicle of a model: its address, labels and known parts." },
);

export const overlayFileSchema = byName(
  "^[^.]+\\..+$",
  "MESSAGE.SIGNAL",
  Type.Object(
    {
      factor: Type.Optional(Type.Number({ description: "Replaces the database's factor; not 0." })),
      offset: Type.Optional(Type.Number({ description: "Replaces the database's offset." })),
      unit: Type.Optional(unit),
      signed: Type.Optional(Type.Boolean({ description: "Is the raw value in two's complement?" })),
      source: Type.String({ minLength: 1, title: "words that say where this is known from", description: "Where this is known from." }),
    },
    closed,
  ),
);

export type ModelFile = Static<typeof modelFileSchema>;
export type VehicleFile = Static<typeof vehicleFileSchema>;
export type OverlayFile = Static<typeof overlayFileSchema>;

/** The three schemas with their identity, as they are published in `schema/`. */
export function publishedSchemas(): Readonly<Record<"model" | "vehicle" | "overlay", object>> {
  const publish = (name: string, schema: object) => ({ $schema: "https://json-schema.org/draft/2020-12/schema", $id: `urn:drover:${name}-file:1`, ...schema });
  return { model: publish("model", modelFileSchema), vehicle: publish("vehicle", vehicleFileSchema), overlay: publish("overlay", overlayFileSchema) };
}
