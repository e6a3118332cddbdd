// The world around the modules: battery, sun, cabin, tanks, the place of the vehicle. Coarse on purpose; it moves slowly and by seeded noise.
// Modules read it through their sensors and change it through their outputs; nothing here knows a frame.

import type { Random } from "../../runtime/ports/index.ts";

/** What a person or a test can set; ranges are checked where it enters (rig-commands.ts). */
export interface WorldState {
  /** 0..100. */
  batteryPercent: number;
  outsideC: number;
  cabinC: number;
  humidityPercent: number;
  co2Ppm: number;
  vocIndex: number;
  coPpm: number;
  /** Rs/R0 of the gas sensor: 1 in clean air, below 0.3 in gas. */
  lpgRatio: number;
  freshPercent: number;
  greyPercent: number;
  blackPercent: number;
  /** 0..1 of full sun; undefined follows the time of day. */
  sunlight: number | undefined;
  /** The trailer's seven-pin plug is in a towing vehicle. */
  plugged: boolean;
  speedKph: number;
  /** Degrees from north. */
  courseDegrees: number;
  latitude: number;
  longitude: number;
  altitudeM: number;
}

const CAPACITY_AH = 200;
const BASE_LOAD_W = 14;
const LAMP_W = 9;
const RELAY_W: readonly number[] = [55, 80, 12, 12, 12, 12, 12, 12];
const HEATER_W = 60;
const PANEL_PEAK_W = 320;
/** Cabin and outside equalize with this time constant. */
const CABIN_TAU_S = 2700;
const HEATER_C_PER_S = 0.006;
const COOLER_C_PER_S = 0.005;
const METRES_PER_DEGREE = 111_320;

export class PhysicalWorld {
  readonly state: WorldState = {
    batteryPercent: 84,
    outsideC: 9,
    cabinC: 17.6,
    humidityPercent: 46,
    co2Ppm: 620,
    vocIndex: 90,
    coPpm: 1,
    lpgRatio: 1,
    freshPercent: 78,
    greyPercent: 26,
    blackPercent: 27,
    sunlight: undefined,
    plugged: false,
    speedKph: 0,
    courseDegrees: 93,
    latitude: 44.4605,
    longitude: -110.8281,
    altitudeM: 2240,
  };
  readonly #random: Random;
  readonly #lamps = new Map<string, number>();
  readonly #relays = new Map<string, { readonly watts: number; readonly pumps: boolean }>();
  #heating = false;
  #cooling = false;
  /** The charge controller's load output. */
  loadOn = true;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Uniform in ±`amplitude`. */
  noise(amplitude: number): number {
    return amplitude * (2 * this.#random.next() - 1);
  }

  /** Told by a board whose output changed; Torrents drive lamps, Switchbacks relays (relay 0 is the water pump), Therma heater (0) and cooler (1). */
  setOutput(module: string, channel: number, value: number): void {
    const key = `${module}/${String(channel)}`;
    if (module.startsWith("therma")) {
      if (channel === 0) this.#heating = value > 0;
      else this.#cooling = value > 0;
    } else if (module.startsWith("torrent")) this.#lamps.set(key, value);
    else if (value === 0) this.#relays.delete(key);
    else this.#relays.set(key, { watts: RELAY_W[channel] ?? 0, pumps: channel === 0 });
  }

  /** Forgets the outputs of a module that was unplugged. */
  forget(module: string): void {
    for (const key of this.#lamps.keys()) if (key.startsWith(`${module}/`)) this.#lamps.delete(key);
    for (const key of this.#relays.keys()) if (key.startsWith(`${module}/`)) this.#relays.delete(key);
  }

  get loadW(): number {
    let watts = this.loadOn ? BASE_LOAD_W : 2;
    for (const level of this.#lamps.values()) watts += (LAMP_W * level) / 255;
    for (const relay of this.#relays.values()) watts += relay.watts;
    return watts + (this.#heating || this.#cooling ? HEATER_W : 0);
  }

  /** What the panel could give now. @param utcMs wall time: the sun stands by it and by the longitude */
  sunW(utcMs: number): number {
    const { sunlight, longitude } = this.state;
    if (sunlight !== undefined) return PANEL_PEAK_W * sunlight;
    const solarHour = (((utcMs / 3_600_000 + longitude / 15) % 24) + 24) % 24;
    return PANEL_PEAK_W * Math.max(0, Math.sin(((solarHour - 6) / 12) * Math.PI));
  }

  /** What the panel gives: a full battery takes little. */
  solarW(utcMs: number): number {
    const available = this.sunW(utcMs);
    return this.state.batteryPercent >= 99.9 ? Math.min(available, this.loadW) : available;
  }

  /** Positive charges. */
  batteryW(utcMs: number): number {
    return this.solarW(utcMs) - this.loadW;
  }

  /** Terminal voltage: rest voltage by charge, moved by the current through 12 mΩ. */
  batteryV(utcMs: number): number {
    const rest = 11.5 + 1.55 * (this.state.batteryPercent / 100);
    return rest + 0.012 * (this.batteryW(utcMs) / 12.8);
  }

  /** Lets `elapsedMs` pass. */
  step(elapsedMs: number, utcMs: number): void {
    const seconds = elapsedMs / 1000;
    const world = this.state;
    const ampHours = (this.batteryW(utcMs) / this.batteryV(utcMs)) * (seconds / 3600);
    world.batteryPercent = between(world.batteryPercent + (ampHours / CAPACITY_AH) * 100, 0, 100);
    world.cabinC += ((world.outsideC - world.cabinC) / CABIN_TAU_S) * seconds;
    if (this.#heating) world.cabinC += HEATER_C_PER_S * seconds;
    if (this.#cooling) world.cabinC -= COOLER_C_PER_S * seconds;
    if ([...this.#relays.values()].some((relay) => relay.pumps) && world.freshPercent > 0) {
      const pumped = Math.min(world.freshPercent, 0.05 * seconds);
      world.freshPercent -= pumped;
      world.greyPercent = between(world.greyPercent + pumped, 0, 100);
    }
    const metres = (world.speedKph / 3.6) * seconds;
    const course = (world.courseDegrees * Math.PI) / 180;
    world.latitude = between(world.latitude + (metres * Math.cos(course)) / METRES_PER_DEGREE, -85, 85);
    const east = (metres * Math.sin(course)) / (METRES_PER_DEGREE * Math.cos((world.latitude * Math.PI) / 180));
    world.longitude = ((((world.longitude + east + 180) % 360) + 360) % 360) - 180;
  }
}

function between(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
