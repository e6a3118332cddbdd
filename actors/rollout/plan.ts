// What an operator wants of a rollout: images, which vehicles, in which groups, how fast, and when to stop. Written by hand, so every key is named as people say it.
//
// P1. Unknown keys are refused; durations are texts with their unit, shares are per cent.
// P2. An image is for one type of module, hardware and address. There is no image "for any": a module whose place has none is refused before anything is sent (research/trailcurrent.md 4.1: a wrong
//     file for an address gives a module another module's identifiers).
// P3. One image for one kind of module, and one group of a name: of two the reader could not say which counts. No duration is longer than ten years.

import type { Static } from "typebox";
import { T } from "../../runtime/index.ts";
import { madeForWords } from "../update/index.ts";
import { durationMs } from "../vehicle-file/index.ts";

const closed = { additionalProperties: false } as const;

const NAME = "^[a-z0-9][a-z0-9._-]{0,63}$";
const DURATION = "^[0-9]{1,6}(\\.[0-9]{1,3})?(ms|s|m|h|d)$";

const duration = (description: string, example: string) => T.String({ pattern: DURATION, description, title: `a duration such as ${example}` });
/** A deadline of nothing would end each before it begins. */
const deadline = (description: string, example: string) =>
  T.String({ pattern: `^(?!0+(\\.0+)?[a-z])${DURATION.slice(1)}`, description, title: `a duration of more than nothing such as ${example}` });
const percent = (description: string) => T.Number({ exclusiveMinimum: 0, maximum: 100, description, title: "per cent, more than 0, at most 100" });
const count = (description: string, most: number) => T.Integer({ minimum: 1, maximum: most, description, title: `a whole number from 1 to ${String(most)}` });
const labels = T.Record(T.String({ pattern: "^[A-Za-z0-9_.-]{1,64}$" }), T.String({ minLength: 1, maxLength: 128 }), {
  maxProperties: 32,
  description: "A vehicle has all of these labels.",
});

/** Targets of one rollout. */
const MAX_TARGETS = 100_000;
/** At once, over the whole rollout. */
const MAX_CONCURRENCY = 5_000;

const byte = "(0|[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5])";
const firmwareVersion = T.String({ pattern: `^${byte}\\.${byte}\\.${byte}$`, title: "a firmware version of three numbers up to 255, such as 2.4.0" });
const sha256 = T.String({ pattern: "^[0-9a-f]{64}$", title: "a sha256: 64 hexadecimal digits" });

const image = T.Object(
  {
    module: T.String({ pattern: "^[a-z0-9-]+/[a-z0-9-]+$", title: "a module type such as trailcurrent/torrent" }),
    hardware: T.String({ pattern: NAME, title: "a hardware name such as esp32-s3", description: "As the vehicle's file names it." }),
    address: T.Optional(T.Integer({ minimum: 0, maximum: 255, description: "Build-time address of the module; left out for types that have none." })),
    version: firmwareVersion,
    sha256,
  },
  closed,
);

const group = T.Object(
  {
    name: T.String({ pattern: NAME, title: "a name such as canary" }),
    count: T.Optional(count("Vehicles in it.", MAX_TARGETS)),
    percent: T.Optional(percent("Its share of all vehicles of the rollout, rounded up.")),
    labels: T.Optional(labels),
    abort_count: T.Optional(count("Bad results within it that abort the rollout, whatever the sample.", MAX_TARGETS)),
    pause_count: T.Optional(count("Bad results within it that pause the rollout.", MAX_TARGETS)),
  },
  { ...closed, description: "Vehicles of the rollout that no earlier group has. Without count and percent: all that are left and have its labels." },
);

export const planSchema = T.Object(
  {
    rollout: T.String({ pattern: NAME, title: "a name such as torrent-2.4", description: "Names it in every address." }),
    images: T.Array(image, { minItems: 1, maxItems: 256 }),
    select: T.Object(
      { model: T.Optional(T.String({ minLength: 1, maxLength: 128, description: "MODEL or MODEL@VERSION." })), labels: T.Optional(labels) },
      { ...closed, description: "Which vehicles; {} is all of the tenant." },
    ),
    groups: T.Optional(T.Array(group, { minItems: 1, maxItems: 64, description: "One after the other. Default: canary max(5, 1 %), early 5 %, broad 20 %, rest." })),
    concurrency: T.Optional(count("Vehicles that update at the same time, over the whole rollout. Default 50.", MAX_CONCURRENCY)),
    success_percent: T.Optional(percent("Of a group without those excused, before the next one opens. Default 95.")),
    soak: T.Optional(duration("How long a group's success must stand before the next one opens. Default 30m.", "30m")),
    excuse_percent: T.Optional(
      T.Number({ minimum: 0, maximum: 100, description: "Of a group at most: postponed, out of their window, not online. Default 20.", title: "per cent, 0 to 100" }),
    ),
    pause: T.Optional(
      T.Object(
        { count: T.Optional(count("Bad results since it was last resumed.", MAX_TARGETS)), percent: T.Optional(percent("Of all evaluated, from abort.min_sample on.")) },
        { ...closed, description: "What makes it wait for a person. Default: the first bad result of the first group, later 2.5 %." },
      ),
    ),
    abort: T.Optional(
      T.Object(
        {
          min_sample: T.Optional(count("Results before a share or count aborts it. Default 5.", MAX_TARGETS)),
          percent: T.Optional(percent("Bad of all evaluated. Default 5.")),
          count: T.Optional(count("Bad results in all. Default 20.", MAX_TARGETS)),
        },
        closed,
      ),
    ),
    target_timeout: T.Optional(deadline("From the moment a vehicle may begin until it must have ended. Default 24h.", "24h")),
    dark_after: T.Optional(deadline("Silence of a module after its upload that counts as dark. Default 15m.", "15m")),
    excused_after: T.Optional(deadline("A vehicle that is away or cannot begin for so long ends as excused. Default 7d.", "7d")),
    attempts: T.Optional(T.Integer({ minimum: 1, maximum: 10, description: "At one module, before the penalty box. Default 3.", title: "a whole number from 1 to 10" })),
  },
  closed,
);

export type PlanFile = Static<typeof planSchema>;
export type PlanImage = PlanFile["images"][number];

interface PlanComplaint {
  readonly path: string;
  readonly message: string;
  readonly expected: string;
}

const DURATIONS = ["soak", "target_timeout", "dark_after", "excused_after"] as const satisfies readonly (keyof PlanFile)[];

/** What its form allows and no plan can mean (P3). */
export function impossibleIn(plan: PlanFile): readonly PlanComplaint[] {
  const { images, groups = [] } = plan;
  const repeats = <Each>(path: string, all: readonly Each[], keyOf: (each: Each) => string, expected: string) =>
    all.flatMap((each, index) => {
      const first = all.findIndex((other) => keyOf(other) === keyOf(each));
      return first === index ? [] : [{ path: `${path}/${String(index)}`, message: `is a second one for ${keyOf(each)}, beside ${path}/${String(first)}`, expected }];
    });
  const endless = DURATIONS.flatMap((key) => {
    const written = plan[key];
    return written === undefined || durationMs(written) !== undefined
      ? []
      : [{ path: `/${key}`, message: `${written} is longer than ten years`, expected: "a duration of at most 3660d" }];
  });
  return [
    ...endless,
    ...repeats("/images", images, ({ module, ...place }) => madeForWords(module, place), "one image for each type, hardware and address"),
    ...repeats("/groups", groups, ({ name }) => `the name ${name}`, "groups with names of their own"),
  ];
}
