// Which vehicles can be reached now, and since when they were last heard: from the bus, as hints (design section 7).

import { type Address, parseAddress, vehicleNames } from "../runtime/index.ts";
import type { Clock } from "../runtime/ports/index.ts";
import type { LinkEvent, LiveInfo } from "../protocols/uplink/index.ts";

export interface VehicleLink {
  readonly tenant: string;
  readonly vehicle: string;
  /** Its node's last announcement; it stays after the link was lost. */
  readonly live: LiveInfo;
  readonly up: boolean;
  /** Wall ms. */
  readonly since: number;
  readonly heardAt: number;
}

const KEPT_RUNS = 8;

export class VehicleLinks {
  readonly #clock: Clock;
  readonly #links = new Map<Address, VehicleLink>();
  readonly #waiting = new Map<Address, Set<() => void>>();
  /** Runs that another one has taken the place of, newest last. */
  readonly #replaced = new Map<Address, readonly string[]>();
  readonly #listeners = new Set<(entity: Address) => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The vehicle's entity when the event changed anything. `rival`: another node that lives under the same vehicle's name (rules O1). */
  note(event: LinkEvent): { readonly entity: Address; readonly link: VehicleLink; readonly rival?: LiveInfo } | undefined {
    const entity = entityOfVehicle(event.tenant, event.vehicle);
    if (entity === undefined) return undefined;
    const known = this.#links.get(entity);
    const now = this.#clock.now();
    if (event.live === undefined) {
      if (!known?.up) return undefined;
      const link = { ...known, up: false, since: now };
      this.#links.set(entity, link);
      this.#tell(entity);
      return { entity, link };
    }
    if (known?.up === true && known.live.session === event.live.session) return undefined;
    const link: VehicleLink = { tenant: event.tenant, vehicle: event.vehicle, live: event.live, up: true, since: now, heardAt: now };
    this.#links.set(entity, link);
    const rival = known === undefined ? undefined : this.#rivalOf(entity, event.live, known);
    const waiting = this.#waiting.get(entity);
    this.#waiting.delete(entity);
    for (const wake of waiting ?? []) wake();
    this.#tell(entity);
    return { entity, link, ...(rival === undefined ? {} : { rival }) };
  }

  /** Two nodes stand at once, or a run speaks again after another one took its place: a node that was restarted never does. */
  #rivalOf(entity: Address, live: LiveInfo, known: VehicleLink): LiveInfo | undefined {
    if (known.live.session === live.session) return undefined;
    const replaced = this.#replaced.get(entity) ?? [];
    this.#replaced.set(entity, [...replaced.filter((session) => session !== live.session), known.live.session].slice(-KEPT_RUNS));
    return replaced.includes(live.session) || (known.up && known.live.node !== live.node) ? known.live : undefined;
  }

  heard(tenant: string, vehicle: string): void {
    const entity = entityOfVehicle(tenant, vehicle);
    const known = entity === undefined ? undefined : this.#links.get(entity);
    if (entity !== undefined && known !== undefined) this.#links.set(entity, { ...known, heardAt: this.#clock.now() });
  }

  /** @param listener called for each link that has come, gone, or come anew; it must only take note @returns how to end it */
  onChange(listener: (entity: Address) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(entity: Address): void {
    for (const listener of this.#listeners) listener(entity);
  }

  get(entity: Address): VehicleLink | undefined {
    return this.#links.get(entity);
  }

  all(): readonly (readonly [Address, VehicleLink])[] {
    return [...this.#links];
  }

  /** Resolves when the vehicle can be reached; rejects when `signal` is aborted. */
  async reachable(entity: Address, signal: AbortSignal): Promise<void> {
    if (this.#links.get(entity)?.up === true) return;
    const waiting = this.#waiting.get(entity) ?? new Set<() => void>();
    this.#waiting.set(entity, waiting);
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => {
        waiting.delete(wake);
        reject(new Error("no longer wanted"));
      };
      const wake = (): void => {
        signal.removeEventListener("abort", abort);
        resolve();
      };
      waiting.add(wake);
      if (signal.aborted) abort();
      else signal.addEventListener("abort", abort, { once: true });
    });
  }

  /** Where messages for an entity of a vehicle are sent; undefined for other entities. */
  place(
    entity: Address,
    lastSeen: (entity: Address) => number | undefined,
  ): { readonly key: string; readonly node: string; readonly reachable: boolean; readonly asOf?: number } | undefined {
    const [tenant = "", type, vehicle = ""] = entity.split("/");
    const link = this.#links.get(entity);
    const asOf = link?.heardAt ?? lastSeen(entity);
    if (type !== "vehicle" || (link === undefined && asOf === undefined)) return undefined;
    return { key: vehicleNames(tenant, vehicle).down("in"), node: link?.live.node ?? "unknown", reachable: link?.up === true, ...(asOf === undefined ? {} : { asOf }) };
  }
}

function entityOfVehicle(tenant: string, vehicle: string): Address | undefined {
  try {
    return parseAddress(`${tenant}/vehicle/${vehicle}`);
  } catch {
    return undefined;
  }
}
