// What guards and assigns may compute by the ESLint preset (rules R2): plain arithmetic, the exact part of Math, texts of numbers, dates in UTC, order of texts.
//
// Each of these machines takes some hundred steps of arithmetic for an event and keeps digests of them beside values, so that a last bit anywhere is another state.

import { actorType, entityType, type EntityType, now, random } from "../../runtime/actor/index.ts";
import { EntityHost, words } from "../runtime/entity-host.ts";
import { assign, type LooseFunction, machine } from "../runtime/xstate/loose.ts";
import { hostedGroup, type HostedStory } from "./story.ts";

const ROUNDS = 400;
const EVENTS = 6;
const protocol = words("COMPUTE");

/** FNV-1a over the text of a value: integers only. */
function digest(before: number, value: unknown): number {
  let hash = before;
  const text = String(value);
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return hash;
}

/** Numbers of every size and sign, from integer arithmetic. */
function* numbers(seed: number): Generator<number> {
  let state = seed | 0;
  for (let round = 0; round < ROUNDS; round++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    const fraction = (state >>> 0) / 4_294_967_296;
    const size = [1, 1e-3, 1e3, 1e9, 1e15, 1e-300, 1e300, 0.1][round % 8] ?? 1;
    yield (round % 3 === 0 ? -1 : 1) * fraction * size;
  }
}

export const arithmetic = {
  "sums and products": (a: number, b: number) => [a + b, a - b, a * b, a / b, a % b, -a, (a + b) * 0.1, a / 3 + b / 7],
  "the exact part of Math": (a: number, b: number) => [
    Math.abs(a),
    Math.min(a, b),
    Math.max(a, b),
    Math.floor(a),
    Math.ceil(a),
    Math.round(a),
    Math.trunc(a),
    Math.sign(a),
    Math.sqrt(Math.abs(a)),
    Math.imul(a, b),
    Math.fround(a),
    Math.fround(a * b),
  ],
  "integers and bits": (a: number, b: number) => [
    a | 0,
    b >>> 0,
    a & b,
    a ^ b,
    ~a,
    a << 3,
    a >> 5,
    b >>> 7,
    Number.isInteger(a),
    Number.isSafeInteger(Math.trunc(a)),
    Object.is(a * 0, -0),
  ],
  comparisons: (a: number, b: number) => [a < b, a <= b, a > b, a === b, a !== b, a * b === b * a, a + b - b === a, Number.isNaN(a / 0 - b / 0), Number.isFinite(a * b)],
  "numbers as texts": (a: number, b: number) => [
    String(a),
    a.toFixed(3),
    a.toPrecision(5),
    a.toExponential(7),
    Math.trunc(b % 1e15).toString(36),
    (b % 1e6).toString(2).slice(0, 60),
    JSON.stringify({ a, b }),
    Number.parseFloat(`${a.toFixed(5)}x`),
    Number(b.toExponential(4)),
    Number.parseInt(a.toFixed(0), 10),
    JSON.parse(`[${String(a)},1e2,0.1,123456789012345680000]`),
  ],
  "dates in UTC": (a: number, b: number) => {
    const ms = Math.trunc((a + b) % 4e12);
    const date = new Date(Number.isNaN(ms) ? 0 : ms);
    const next = new Date(date.getTime());
    next.setUTCMonth(date.getUTCMonth() + 13, 31);
    return [
      date.toISOString(),
      date.toUTCString(),
      date.toJSON(),
      date.getUTCDay(),
      date.getUTCFullYear(),
      date.getUTCHours(),
      next.getTime(),
      Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 7, 31, 25, 61),
      Date.UTC(99, 1, 29),
      Date.UTC(2026, 2, 29, 0, 30) + ms,
      new Date(Date.UTC(2026, 1, 29)).toISOString(),
    ];
  },
  "texts and their order": (a: number, b: number) => {
    const list = [String(a), String(b), "Zürich", "zurich", "äpfel", "Äpfel", "apfel", "\u{1f600}", "", "10", "9", "ﬀ"];
    return [
      [...list].sort().join(" "),
      [...list].sort((x, y) => x.length - y.length).join(" "),
      list.join("|").toUpperCase(),
      list.join("|").toLowerCase(),
      "Zu\u0308rich".normalize("NFC") === "Zürich",
      String(a).padStart(24, "0"),
      list.join(",").split(/[,.]/).length,
      list.join(" ").replace(/(\d+)\.(\d)/g, "$2.$1"),
      /(?<whole>\d+)(?:\.(?<part>\d+))?/u.exec(String(b))?.groups?.["part"]?.slice(0, 4),
      Array.from(list[7] ?? "").length,
    ];
  },
  "orders and lists": (a: number, b: number) => {
    const list = [a, b, a % 7, b % 7, 0, -0, 1, 2, 3, 11, 22].map((value, at) => ({ value, at }));
    return [
      [...list].sort((x, y) => (x.value % 3) - (y.value % 3) || 0).map(({ at }) => at),
      list.toSorted((x, y) => y.value - x.value).map(({ at }) => at),
      Object.keys(Object.fromEntries(list.map(({ value, at }) => [Math.trunc(value % 100), at]))),
      list.reduce((sum, { value }) => sum + value, 0),
      list.map(({ value }) => value).includes(-0),
      [...new Set(list.map(({ value }) => Math.sign(value)))],
      list.findLast(({ value }) => value > 1)?.at,
    ];
  },
} satisfies Readonly<Record<string, (a: number, b: number) => readonly unknown[]>>;

/** What the preset warns of, and what indeed comes out otherwise: `**` between V8 of Node 22 and of Node 24. */
export const warnedArithmetic = { "a power with a fraction": (a: number, b: number) => [(1 + Math.abs(a % 30)) ** ((b % 7) * 0.5)] };

/** Keeps a digest of all, the sum of what is a number, and the newest of each. */
export function computing(compute: (a: number, b: number) => readonly unknown[]): EntityType {
  const step: LooseFunction = ({ context, self }) => {
    let { hash, sum } = context as { hash: number; sum: number };
    let before = random(self as never) * 1_000;
    let newest: readonly unknown[] = [];
    for (const value of numbers(context.n * 7_919 + (now(self as never) % 1_000))) {
      newest = compute(before, value);
      for (const one of newest) {
        hash = digest(hash, typeof one === "object" ? JSON.stringify(one) : one);
        if (typeof one === "number" && Math.abs(one) < 1e12) sum += one;
      }
      before = value;
    }
    return { n: context.n + 1, hash, sum, newest: newest.map(String) };
  };
  const behaviour = machine({
    context: { n: 0, hash: 0x811c9dc5, sum: 0, newest: [] },
    initial: "even",
    states: {
      even: {
        on: { COMPUTE: [{ guard: ({ context }: { context: { hash: number } }) => context.hash % 2 === 1, target: "odd", actions: assign(step) }, { actions: assign(step) }] },
      },
      odd: { on: { COMPUTE: [{ guard: ({ context }: { context: { sum: number } }) => context.sum > 0, target: "even", actions: assign(step) }, { actions: assign(step) }] } },
    },
  });
  const root = actorType({ name: "computing", version: 1, messages: protocol, behaviour: behaviour as never });
  return entityType({ root, durability: "events", placement: "vehicle" });
}

function storiesOf(computations: Readonly<Record<string, (a: number, b: number) => readonly unknown[]>>): readonly HostedStory[] {
  return Object.entries(computations).map(([name, compute]) => {
    const type = computing(compute);
    return {
      name,
      type,
      live: () => {
        const host = new EntityHost(type);
        for (let at = 0; at < EVENTS; at++) {
          host.advance(137);
          host.send("COMPUTE");
        }
        return host;
      },
    };
  });
}

/** Values that contexts carry beside plain JSON, as they are and in sums. */
const carried: HostedStory = ((): HostedStory => {
  const edge = [0.1 + 0.2, 1 / 3, 5e-324, Number.MAX_VALUE, Number.MAX_SAFE_INTEGER, Number.EPSILON, 2 ** 53 + 2, -1e-7, 1e21, 123456789.12345679];
  const behaviour = machine({
    context: {
      list: edge,
      infinite: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
      nothing: undefined,
      text: "\u0000\u2028\ud83d\ude00",
      deep: { "": [[], {}, null], $ref: "x" },
    },
    on: { COMPUTE: { actions: assign({ list: ({ context }) => context.list.map((value: number, at: number) => (value / 3) * (at + 1) + (edge[at] ?? 0)) }) } },
  });
  const type = entityType({ root: actorType({ name: "carrying", version: 1, messages: protocol, behaviour: behaviour as never }), durability: "events", placement: "vehicle" });
  return {
    name: "values that a context carries",
    type,
    live: () => {
      const host = new EntityHost(type);
      for (let at = 0; at < EVENTS; at++) host.send("COMPUTE");
      return host;
    },
  };
})();

export const arithmeticStories = hostedGroup("arithmetic", [...storiesOf(arithmetic), carried]);
export const warnedStories = hostedGroup("warned", storiesOf(warnedArithmetic));
