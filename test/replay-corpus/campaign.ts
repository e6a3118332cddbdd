// A campaign that brings a release to sites in waves, and the sites with their probes: what entities of a fleet do with each other, under faults and over a new version of the campaign.
//
// In it: messages between entities with replies, asks, tasks, effects of each class, postponed messages, timers of each policy, chance, shares and budgets as fractions, dates,
// restarts of children with their siblings, inputs that are set aside, a migration while a wave is under way.

import { assign, enqueueActions, setup } from "xstate";
import {
  actorType,
  ask,
  effect,
  effectOutcomes,
  entityType,
  type EntityType,
  type EventOf,
  messages,
  now,
  random,
  reducer,
  type Registered,
  reply,
  type ReplyTo,
  T,
  task,
} from "../../runtime/index.ts";
import type { Simulation } from "../../runtime/simulation/index.ts";

const CAMPAIGN = "corpus/campaign/spring";
const SITES = ["north", "east", "south", "west", "hill"] as const;
const siteAt = (name: string): string => `corpus/site/${name}`;

const siteMessages = messages({
  "site.update": { body: { release: T.String(), wave: T.Integer(), share: T.Number() } },
  "site.report": { body: {}, reply: T.Object({ release: T.String(), load: T.Number() }) },
  "site.measured": { body: { load: T.Number() }, internal: true },
});

interface SiteState {
  readonly release: string;
  readonly load: number;
  readonly since: string;
  readonly refused: number;
}

const siteRoot = actorType({
  name: "site",
  version: 1,
  messages: siteMessages,
  behaviour: reducer<SiteState, EventOf<typeof siteMessages>>({
    initial: () => ({ release: "none", load: 0.1, since: "never", refused: 0 }),
    step: (state, event, turn) => {
      switch (event.type) {
        case "site.update": {
          const isTaken = turn.random() > event.share / 2;
          turn.send(CAMPAIGN, { type: "campaign.answered", site: turn.address.split("/")[2] ?? "", ok: isTaken, load: Math.round(state.load * 1_000) / 1_000 });
          if (!isTaken) return { ...state, refused: state.refused + 1 };
          turn.perform("install", { release: event.release });
          return { ...state, release: event.release, since: new Date(turn.now).toISOString() };
        }
        case "site.report":
          turn.send(event.replyTo, { type: "reply", value: { release: state.release, load: state.load } });
          return state;
        case "site.measured":
          return { ...state, load: state.load * 0.9 + event.load * 0.1 };
      }
    },
    effects: { install: effect<{ release: string }>({ class: "idempotent" }) },
  }),
});

const probeMessages = messages({ "probe.check": { body: { by: T.Number() } }, "probe.break": { body: {} }, "probe.due": { body: {}, internal: true } });

const probe = actorType({
  name: "probe",
  version: 1,
  messages: probeMessages,
  timers: { RHYTHM: { each: 3 } },
  behaviour: setup({
    types: { context: {} as { checks: number; mean: number; at: readonly number[] }, events: {} as EventOf<typeof probeMessages> },
    actions: {
      check: assign(({ context, event, self }) => ({
        checks: context.checks + 1,
        mean: context.mean + ((event.type === "probe.check" ? event.by : random(self)) - context.mean) / (context.checks + 1),
        at: [...context.at, now(self) % 100_000].slice(-5),
      })),
      break: assign(({ context }) => {
        throw new RangeError(`broken at ${context.mean.toFixed(6)}`);
      }),
      tell: enqueueActions(({ enqueue, context }) => {
        enqueue.sendTo(() => siteRoot.at(siteAt("north")), { type: "site.measured", load: context.mean } as never);
      }),
    },
    delays: { RHYTHM: 900, LATE: ({ context }) => 300 + Math.floor(context.mean * 400) },
  }).createMachine({
    context: { checks: 0, mean: 0.5, at: [] },
    initial: "idle",
    on: { "probe.check": { target: ".busy", actions: "check" }, "probe.break": { actions: ["check", "break"] } },
    states: {
      idle: { after: { RHYTHM: { target: "idle", reenter: true, actions: "check" } } },
      busy: { after: { LATE: "idle" } },
    },
  }),
});

const siteEntity = entityType({
  root: siteRoot,
  durability: "events",
  placement: "vehicle",
  children: { probe: { types: [probe], strategy: "rest-for-one", restart: "permanent", restartFrom: "initial" } },
});

const campaignMessages = messages({
  "campaign.begin": { body: { release: T.String(), abortShare: T.Number() } },
  "campaign.answered": { body: { site: T.String(), ok: T.Boolean(), load: T.Number() } },
  "campaign.raise": { body: { by: T.Number() }, reply: T.Object({ share: T.Number() }), postpone: true },
  "campaign.look": { body: { site: T.String() } },
  "campaign.stumble": { body: {} },
  ...effectOutcomes,
});

interface Campaign {
  readonly release: string;
  readonly abortShare: number;
  readonly share: number;
  readonly wave: number;
  readonly asked: number;
  readonly answers: Readonly<Record<string, { readonly ok: boolean; readonly load: number }>>;
  readonly looked: readonly string[];
  readonly unsure: number;
  readonly began: string;
}

const nothing: Campaign = { release: "", abortShare: 1, share: 0.2, wave: 0, asked: 0, answers: {}, looked: [], unsure: 0, began: "" };

function campaignOf(isSecond: boolean) {
  const failedShare = ({ answers }: Campaign): number => Object.values(answers).filter(({ ok }) => !ok).length / Math.max(1, Object.keys(answers).length);
  const meanLoad = ({ answers }: Campaign): number => Object.values(answers).reduce((sum, { load }) => sum + load, 0) / Math.max(1, Object.keys(answers).length);
  /** The second version has another name for it. */
  const waiting = isSecond ? ("resting" as const) : ("waiting" as const);
  const betweenWaves = {
    on: {
      "campaign.answered": [{ guard: "isTooBad", target: "halted", actions: "note" }, { actions: "note" }],
      "campaign.raise": { actions: ["raise", "answerRaise"] },
    },
    after: { WAVE: [{ guard: "isComplete", target: "estimated" }, { guard: "isTooBad", target: "halted" }, { target: "wave" }] },
  } as const;
  return setup({
    types: { context: {} as Campaign, events: {} as EventOf<typeof campaignMessages> },
    actors: { look: ask(siteRoot, "site.report"), estimate: task<{ share: number }, { readonly minutes: number }>() },
    guards: {
      isTooBad: ({ context }) => failedShare(context) > context.abortShare,
      isComplete: ({ context }) => Object.values(context.answers).filter(({ ok }) => ok).length >= SITES.length * 0.999,
    },
    actions: {
      announce: effect<{ release: string }>({ class: "once", withinMs: 2_000 }),
      publish: effect<{ wave: number; mean: string }>({ class: "idempotent", withinMs: 2_000 }),
      show: effect<{ share: number }>({ class: "state" }),
      wonder: assign({ unsure: ({ context }) => context.unsure + 1 }),
      stumble: assign(({ context }) => {
        throw new Error(`stumbled in wave ${String(context.wave)}`);
      }),
      raise: assign({ share: ({ context, event }) => (event.type === "campaign.raise" ? Math.min(1, context.share + event.by) : context.share) }),
      answerRaise: enqueueActions(({ enqueue, event, context }) => {
        enqueue.sendTo((event as unknown as { replyTo: ReplyTo<{ share: number }> }).replyTo, reply({ share: context.share }));
      }),
      note: assign(({ context, event }) => (event.type === "campaign.answered" ? { answers: { ...context.answers, [event.site]: { ok: event.ok, load: event.load } } } : {})),
      send: enqueueActions(({ enqueue, context, self }) => {
        const open = SITES.filter((site) => context.answers[site]?.ok !== true);
        const many = Math.max(1, Math.round(open.length * context.share));
        const from = Math.floor(random(self) * open.length);
        for (let n = 0; n < many; n++)
          enqueue.sendTo(() => siteRoot.at(siteAt(open[(from + n) % open.length] ?? "north")), {
            type: "site.update",
            release: context.release,
            wave: context.wave,
            share: context.share,
          });
        enqueue.assign({ wave: context.wave + 1, asked: context.asked + many, ...(isSecond ? { share: Math.min(1, context.share * 1.25) } : {}) });
      }),
    },
    delays: { WAVE: ({ context, self }) => 700 * (1 + context.wave / 10) + random(self) * 350, REPORT: 1_300, PATIENCE: 9_000 },
  }).createMachine({
    id: "campaign",
    context: nothing,
    type: "parallel",
    on: { "effect.unknown": { actions: "wonder" }, "effect.failed": { actions: "wonder" }, "campaign.stumble": { actions: ["note", "stumble"] } },
    states: {
      work: {
        initial: "planned",
        states: {
          planned: {
            on: {
              "campaign.begin": {
                target: "wave",
                actions: [
                  assign(({ event, self }) => ({ ...nothing, release: event.release, abortShare: event.abortShare, began: new Date(now(self)).toISOString() })),
                  { type: "announce", params: ({ event }) => ({ release: event.release }) },
                ],
              },
            },
          },
          wave: {
            entry: ["send", { type: "publish", params: ({ context }) => ({ wave: context.wave, mean: meanLoad(context).toFixed(4) }) }],
            always: waiting,
          },
          waiting: betweenWaves,
          resting: betweenWaves,
          estimated: {
            invoke: { src: "estimate", id: "estimate", input: ({ context }) => ({ share: context.share }), onDone: "planned", onError: "planned" },
          },
          halted: { entry: { type: "show", params: ({ context }) => ({ share: failedShare(context) }) }, after: { PATIENCE: "planned" } },
        },
      },
      reports: {
        initial: "on",
        states: {
          on: {
            on: { "campaign.look": "looking" },
            after: { REPORT: { target: "on", reenter: true, actions: { type: "show", params: ({ context }) => ({ share: meanLoad(context) }) } } },
          },
          looking: {
            invoke: {
              src: "look",
              id: "look",
              input: ({ event }) => ({ to: siteAt((event as { readonly site?: string }).site ?? "north"), body: {}, withinMs: 1_500 }),
              onDone: {
                target: "on",
                actions: assign({ looked: ({ context, event }) => [...context.looked, `${event.output.release} ${event.output.load.toPrecision(6)}`].slice(-4) }),
              },
              onError: "on",
            },
          },
        },
      },
    },
  });
}

const first = actorType({ name: "campaign", version: 1, messages: campaignMessages, timers: { REPORT: "skip", PATIENCE: "absolute" }, behaviour: campaignOf(false) as never });
const second = actorType({
  name: "campaign",
  version: 2,
  messages: campaignMessages,
  timers: { REPORT: "skip", PATIENCE: "absolute" },
  behaviour: campaignOf(true) as never,
  earlier: [first],
  migrate: {
    1: (old) => {
      const { work, reports } = old.value as unknown as { work: string; reports: string };
      const context = old.context as Campaign;
      return { value: { work: work === "waiting" ? "resting" : work, reports }, context: { ...context, share: context.share / 3, release: `${context.release}+2` } };
    },
  },
});

const entityOf = (root: typeof first): EntityType => entityType({ root, durability: "events", placement: "cloud" });

/** Its stories: of the campaign in its newest version, which knows the first. */
export const campaignTypes = { campaign: entityOf(second), site: siteEntity } as const;

export function campaign(seed: number): Simulation {
  let attempts = 0;
  const often = (every: number) => (): undefined => {
    if (++attempts % every === 0) throw new Error("not now");
  };
  const supplied = (root: typeof first): readonly Registered[] => [
    entityOf(root),
    root.with({
      effects: { announce: often(3), publish: often(4), show: () => undefined },
      tasks: { estimate: ({ share }: { share: number }) => ({ minutes: 10 / share }) },
    } as never),
  ];
  const probes = ["a", "b"].map((id) => ({ kind: "probe", id, type: "probe", input: undefined }));
  return {
    seed,
    nodes: {
      office: { types: supplied(first), entities: { [CAMPAIGN]: undefined }, foreignTypes: [siteEntity] },
      field: {
        types: [siteEntity, siteRoot.with({ effects: { install: often(5) } })],
        entities: Object.fromEntries(SITES.map((site) => [siteAt(site), { input: undefined, children: probes }])),
        foreignTypes: [entityOf(first)],
      },
    },
    forMs: 16_000,
    settleMs: 70_000,
    faults: { everyMs: 2_500, kinds: ["kill", "power-cut", "restart", "pause", "cut", "clock-jump", "part"] },
    script: async ({ insist, tell, ask: question, sleep, random: chance, upgrade, kill, start }) => {
      const options = { withinMs: 2_000, forMs: 6_000 };
      await insist(CAMPAIGN, { type: "campaign.begin", release: "4.2", abortShare: 0.7 }, options);
      for (let n = 0; n < 12; n++) {
        const site = SITES[n % SITES.length] ?? "north";
        await tell(`${siteAt(site)}/probe/${n % 2 === 0 ? "a" : "b"}`, n % 4 === 3 ? { type: "probe.break" } : { type: "probe.check", by: chance.next() }, options);
        if (n % 3 === 0) void question(CAMPAIGN, { type: "campaign.raise", by: 0.07 }, { withinMs: 5_000 });
        if (n % 3 === 1) await tell(CAMPAIGN, { type: "campaign.look", site }, options);
        if (n === 5) await tell(CAMPAIGN, { type: "campaign.stumble" }, options);
        if (n === 7) {
          upgrade("office", supplied(second));
          kill("office");
          start("office");
        }
        if (n > 7) await insist(CAMPAIGN, { type: "campaign.begin", release: `4.${String(n)}`, abortShare: 0.5 }, options);
        await sleep(chance.next() * 1_500);
      }
    },
  };
}
