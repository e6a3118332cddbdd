// The rollouts of a cloud node: planned against the fleet that it knows, made, told an operator's word.
//
// R1. A plan is judged as a whole, against what is known when it comes: images that are kept here, vehicles by their replicas, modules that no other rollout has. What is made is what was judged.
// R2. A name is a rollout's for ever. The same request again (its id, its plan) is answered with what it made.

import { createHash } from "node:crypto";
import { cutTo, type FleetVehicle, grouped, type Grouping, isSelected, type PlanFile, rolloutEntity } from "../../actors/index.ts";
import { type Problem, type ProblemName, problemOf } from "../../protocols/http/index.ts";
import { type Address, type Answer, addressProblem, idOf, type Replicas, type System, type Told } from "../../runtime/index.ts";
import type { Clock, Log, Store } from "../../runtime/ports/index.ts";
import type { ImageStore } from "../images/index.ts";
import type { VehicleLinks } from "../vehicle-links.ts";
import { fleetOf, tenantOf, tenantsOf } from "./fleet-facts.ts";
import { tellHearing } from "./hearing.ts";
import { finishBegun, finishOf, make } from "./making.ts";
import { fleetProblem, imageProblems, nameOfProblem, shapeProblem } from "./plan-problems.ts";
import { isOver, type KnownRollout, rolloutAddress, type RolloutBook, rolloutBook } from "./rollout-book.ts";

export interface RolloutsOptions {
  readonly system: System;
  readonly replicas: Pick<Replicas, "addresses" | "read" | "entities">;
  readonly store: Pick<Store, "values" | "entities">;
  readonly images: ImageStore | undefined;
  readonly links: Pick<VehicleLinks, "get" | "onChange">;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Asking {
  readonly who: string;
  /** Of the request. */
  readonly key: string;
}

export type Verb = "approve" | "pause" | "resume" | "abort";

type Made = { readonly kind: "made" | "known"; readonly rollout: KnownRollout } | { readonly kind: "problem"; readonly problem: Problem };

/** What a plan would come to now. */
export interface Tried {
  readonly kind: "tried";
  readonly address: Address;
  /** In the order of the plan; whether these bytes are kept here. */
  readonly images: readonly { readonly sha256: string; readonly kept: boolean }[];
  readonly targets: number;
  /** Vehicles whose modules all have their version. */
  readonly upToDate: number;
  readonly groups: readonly {
    readonly name: string;
    readonly size: number;
    readonly abortCount: number | null;
    readonly pauseCount: number | null;
    readonly first: readonly { readonly vehicle: string; readonly modules: readonly string[] }[];
  }[];
  /** Why it would be refused; empty: it would be made. */
  readonly refused: readonly { readonly type: ProblemName; readonly path: string; readonly message: string; readonly expected?: string }[];
  /** Further reasons that are not shown. */
  readonly more: number;
}

export interface Rollouts {
  readonly book: RolloutBook;
  /** Finds what the store holds, and finishes what was begun. Call when the entities of the store are there. */
  open(): Promise<void>;
  create(plan: unknown, tenant: string | undefined, by: Asking): Promise<Made>;
  /** Judges it as `create` does, all of it, and makes nothing. */
  tryOut(plan: unknown, tenant: string | undefined): Tried | { readonly kind: "problem"; readonly problem: Problem };
  /** By its address, or by its name where one tenant has it. */
  find(id: string): KnownRollout | Problem;
  say(rollout: KnownRollout, verb: Verb, reason: string | undefined, by: Asking, trace: string): Promise<Problem | undefined>;
  /** The vehicle is no longer of the fleet: its target ends as excused. */
  leaveOut(rollout: KnownRollout, vehicle: string, reason: string, who: string): Promise<Problem | undefined>;
  /** Vehicles that the plan would select now and that are none of its targets: they joined later. */
  newcomers(rollout: KnownRollout): { readonly count: number; readonly first: readonly string[] };
  /** Whether the vehicle can be reached now, and when it was last heard, wall ms. */
  linkOf(vehicle: string): { readonly isUp: boolean; readonly heardAt: number | undefined };
  /** Whether this node's link to the bus stands: to be told after `open`, and whenever it changes. */
  hearing(isHearing: boolean): void;
  /** Calls when the link of one of its vehicles has changed, until it is ended. */
  onLink(rollout: Address, changed: () => void): () => void;
}

const PAGE = 500;
const SAID_WITHIN_MS = 5_000;
const FIRST = 10;
const MOST_REFUSED = 50;
/** Its author is told with the reason. */
const MAX_REASON = 300;

export function createRollouts({ system, replicas, store, images, links, clock, log }: RolloutsOptions): Rollouts {
  const book = rolloutBook(system);
  /** R1: one after the other. */
  let making: Promise<unknown> = Promise.resolve();

  async function open(): Promise<void> {
    await finishBegun(system, store, log);
    for (let after: string | undefined; ; ) {
      const page = await store.entities(after, PAGE);
      for (const { entity, type } of page) if (type === rolloutEntity.name) book.note(entity as Address);
      after = page.at(-1)?.entity;
      if (page.length < PAGE) return;
    }
  }

  async function create(given: unknown, tenant: string | undefined, by: Asking): Promise<Made> {
    const wrong = shapeProblem(given);
    if (wrong !== undefined) return { kind: "problem", problem: wrong };
    const plan = given as PlanFile;
    const whose = tenantFor(tenant);
    if (typeof whose !== "string") return { kind: "problem", problem: whose };
    const made = making.then(() => createNext(plan, rolloutAddress(whose, plan.rollout), by));
    making = made.catch(() => undefined);
    return made;
  }

  function tenantFor(given: string | undefined): string | Problem {
    const tenants = tenantsOf(replicas);
    const [only] = tenants;
    const whose = given ?? (tenants.length === 1 ? only : undefined);
    return whose ?? { name: "tenant-needed", detail: `Vehicles of ${tenants.length === 0 ? "no tenant" : tenants.join(", ")} are known here.`, members: { tenants } };
  }

  /** R1. */
  function groupingOf(plan: PlanFile, tenant: string): Grouping {
    const order = (vehicle: string): string => createHash("sha256").update(`${plan.rollout} ${vehicle}`).digest("hex");
    return grouped(plan, fleetOf(replicas, tenant, book.taken()), order);
  }

  function tryOut(given: unknown, tenant: string | undefined): ReturnType<Rollouts["tryOut"]> {
    const wrong = shapeProblem(given);
    if (wrong !== undefined) return { kind: "problem", problem: wrong };
    const plan = given as PlanFile;
    const whose = tenantFor(tenant);
    if (typeof whose !== "string") return { kind: "problem", problem: whose };
    const address = rolloutAddress(whose, plan.rollout);
    const known = book.get(address);
    const grouping = groupingOf(plan, whose);
    const refused: Tried["refused"] = [
      ...(known === undefined ? [] : [{ type: "rollout-exists" as const, path: "/rollout", message: `${address} is ${known.state}`, expected: "a name that no rollout had" }]),
      ...imageProblems(plan, images).flatMap(({ name, members }) =>
        ((members?.["problems"] ?? []) as readonly { readonly path: string; readonly message: string }[]).map((problem) => ({ type: name, ...problem })),
      ),
      ...(grouping.kind === "planned"
        ? []
        : grouping.problems.map((problem) => ({ type: nameOfProblem(problem), path: problem.path, message: problem.message, expected: problem.expected }))),
    ];
    const groups = grouping.kind === "planned" ? grouping.groups : [];
    return {
      kind: "tried",
      address,
      images: plan.images.map(({ sha256 }) => ({ sha256, kept: images?.get(sha256) !== undefined })),
      targets: groups.reduce((sum, { size }) => sum + size, 0),
      upToDate: grouping.kind === "planned" ? grouping.upToDate : 0,
      groups: groups.map(({ name, size, abortCount, pauseCount, parts }) => ({
        name,
        size,
        abortCount: abortCount ?? null,
        pauseCount: pauseCount ?? null,
        first: (parts[0] ?? []).slice(0, FIRST).map(({ vehicle, updates }) => ({ vehicle, modules: updates.map(({ module }) => module) })),
      })),
      refused: refused.slice(0, MOST_REFUSED),
      more: Math.max(0, refused.length - MOST_REFUSED),
    };
  }

  async function createNext(plan: PlanFile, address: Address, by: Asking): Promise<Made> {
    const digest = createHash("sha256").update(JSON.stringify(plan)).digest("hex");
    if (await finishOf(address, system, store)) book.note(address);
    const known = book.get(address);
    if (known !== undefined) return knownAs(known, by, digest);
    const began = clock.monotonic();
    const [wrong] = imageProblems(plan, images);
    if (wrong !== undefined) return { kind: "problem", problem: wrong };
    const grouping = groupingOf(plan, tenantOf(address));
    if (grouping.kind === "refused") return { kind: "problem", problem: fleetProblem(grouping.problems) };
    const { groups } = grouping;
    const bytes = plan.images.map(({ sha256 }) => images?.get(sha256)?.bytes ?? 1);
    await make({ address, plan, groups, bytes, created: { at: clock.now(), who: by.who, key: by.key, plan: digest } }, system, store);
    book.note(address);
    const targets = groups.reduce((sum, { size }) => sum + size, 0);
    log.info({ rollout: address, by: by.who, targets, upToDate: grouping.upToDate, ms: Math.round(clock.monotonic() - began) }, "a rollout was made");
    const rollout = book.get(address);
    if (rollout === undefined) throw new Error(`${address} was made and is not there`);
    return { kind: "made", rollout };
  }

  /** R2. */
  function knownAs(rollout: KnownRollout, by: Asking, digest: string): Made {
    const { created } = rollout.context;
    if (created?.key !== by.key || created.who !== by.who)
      return {
        kind: "problem",
        problem: { name: "rollout-exists", detail: `${rollout.address} is ${rollout.state}.`, members: { rollout: rollout.address, state: rollout.state } },
      };
    return created.plan === digest
      ? { kind: "known", rollout }
      : { kind: "problem", problem: { name: "id-reused", detail: `The key "${by.key}" belongs to another plan.`, members: { id: by.key } } };
  }

  function find(id: string): KnownRollout | Problem {
    const found = addressProblem(id) === undefined ? book.get(id as Address) : undefined;
    if (found !== undefined) return found;
    const named = book.all().filter(({ address }) => idOf(address) === id);
    const [first] = named;
    if (first !== undefined && named.length === 1) return first;
    if (named.length > 1) {
      const tenants = named.map(({ address }) => tenantOf(address));
      return { name: "tenant-needed", detail: `${tenants.join(", ")} each have a rollout ${id}: name it by its address.`, members: { tenants } };
    }
    return { name: "no-such-rollout", detail: `There is no rollout ${id.slice(0, 128)}.` };
  }

  async function say(rollout: KnownRollout, verb: Verb, reason: string | undefined, { who, key }: Asking, trace: string): Promise<Problem | undefined> {
    const { address } = rollout;
    const type = `rollout.${verb}`;
    const answer: Told | Answer = await system.ask(address, { type, ...(reason === undefined ? {} : { reason }) }, { withinMs: SAID_WITHIN_MS, id: key, author: who, trace });
    if (answer.kind === "replied" || answer.kind === "accepted") {
      log.info({ rollout: address, verb, by: who, reason }, "a rollout was told");
      return undefined;
    }
    const now = book.get(address) ?? rollout;
    if (answer.kind === "refused" && (now.state === "aborted" || now.state === "completed")) {
      const { why } = now.context;
      const because = why === null ? "" : ` by ${why.who}: ${why.reason}`;
      return { name: "rollout-over", detail: `${address} is ${now.state}${because}; ${verb} comes too late.`, members: { id: key, state: now.state, why } };
    }
    const problem = problemOf(answer, type, key, { asOf: now.asOf, nowMs: clock.now() });
    return { ...problem, members: { ...problem.members, state: now.state } };
  }

  async function leaveOut(rollout: KnownRollout, vehicle: string, reason: string, who: string): Promise<Problem | undefined> {
    const target = book.targetOf(vehicle, rollout);
    if (target === undefined) return { name: "no-such-target", detail: `${vehicle.slice(0, 128)} is no target of ${rollout.address}.` };
    const told = await system.inform(target, { type: "target.removed", reason: cutTo(`left out by ${who}: ${reason}`, MAX_REASON) });
    if (told.kind === "accepted") {
      log.info({ rollout: rollout.address, vehicle, by: who, reason }, "a vehicle was left out of a rollout");
      return undefined;
    }
    if (told.kind === "refused") return { name: "refused", detail: `${vehicle} has ended in ${rollout.address} already.`, members: { accepts: [] } };
    return problemOf(told, "target.removed", "none", { asOf: rollout.asOf, nowMs: clock.now() });
  }

  function newcomers(rollout: KnownRollout): ReturnType<Rollouts["newcomers"]> {
    if (isOver(rollout)) return { count: 0, first: [] };
    const { address, context } = rollout;
    const types = new Set(context.images.map(({ module }) => module));
    const wanted = (vehicle: FleetVehicle): boolean => vehicle.modules.some(({ moduleType }) => types.has(moduleType));
    const others = fleetOf(replicas, tenantOf(address), undefined, (vehicle) => book.targetOf(vehicle, rollout) === undefined);
    const vehicles = others.filter((vehicle) => isSelected(vehicle, context.select) && wanted(vehicle));
    return { count: vehicles.length, first: vehicles.slice(0, FIRST).map(({ vehicle }) => vehicle) };
  }

  return {
    book,
    open,
    create,
    tryOut,
    find,
    say,
    leaveOut,
    newcomers,
    linkOf: (vehicle) => {
      const link = links.get(vehicle as Address);
      return { isUp: link?.up === true, heardAt: link?.heardAt ?? replicas.read(vehicle as Address)?.asOf };
    },
    hearing: (isHearing) => {
      tellHearing(book, system, isHearing);
    },
    onLink: (rollout, changed) =>
      links.onChange((vehicle) => {
        if (book.isTarget(vehicle, rollout)) changed();
      }),
  };
}
