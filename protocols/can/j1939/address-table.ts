// Who has which address on each bus, from the address claims that are heard (SAE J1939-81, group 0xEE00), so that a controller is followed by its NAME when its address moves.
//
// A1. A NAME has one address on a bus. A claim of a free one takes it at once and gives up the former.
// A2. Of two that claim one address the lower NAME has it: a lower one takes it at once, the other has none.
// A3. A higher NAME gets it 250 ms later, unless the holder claims it again: whoever is switched off defends nothing.
// A4. A claim from address 254 says that its sender has none. Address 255 and claims that are too short say nothing.
// A5. Memory is bounded by the addresses: a holder and the lowest of its contenders each. A NAME without address is not remembered.

import { EXTENDED_FRAME, type FrameBatch, SLOT_BYTES } from "../frames/index.ts";
import { parseJ1939Id } from "./id.ts";

/** A NAME has an address, another one, or none any more. */
export interface AddressChange {
  readonly bus: number;
  readonly name: bigint;
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly timeS: number;
}

export interface AddressTable {
  /** Takes one frame; others than address claims change nothing. Changes in the order in which they came about. */
  readonly hear: (batch: FrameBatch, slot: number) => readonly AddressChange[];
  /** What time alone has decided by `nowS` (A3). `hear` does it too. */
  readonly settle: (nowS: number) => readonly AddressChange[];
  /** When time alone may next decide something, in seconds; undefined: not before the next claim. */
  readonly nextDueS: () => number | undefined;
  readonly nameAt: (bus: number, address: number) => bigint | undefined;
  readonly addressOf: (bus: number, name: bigint) => number | undefined;
}

const ADDRESS_CLAIM = 0xee00;
const NAME_BYTES = 8;
const NO_ADDRESS = 254;
const CONTENTION_S = 0.25;
/** The top three bits of a can_id that is extended, no remote request and no error frame. */
const DATA_FRAME = EXTENDED_FRAME >>> 29;

interface Bus {
  readonly index: number;
  readonly holders: Map<number, bigint>;
  readonly addresses: Map<bigint, number>;
  readonly contenders: Map<number, { readonly name: bigint; readonly untilS: number }>;
}

export function createAddressTable(): AddressTable {
  const buses = new Map<number, Bus>();

  function hear(batch: FrameBatch, slot: number): readonly AddressChange[] {
    const canId = batch.ids[slot] ?? 0;
    if (canId >>> 29 !== DATA_FRAME || (batch.lengths[slot] ?? 0) < NAME_BYTES) return [];
    const { pgn, source } = parseJ1939Id(canId);
    if (pgn !== ADDRESS_CLAIM || source > NO_ADDRESS) return [];
    const index = batch.buses[slot] ?? 0;
    const bus: Bus = buses.get(index) ?? { index, holders: new Map(), addresses: new Map(), contenders: new Map() };
    buses.set(index, bus);
    const timeS = batch.timesS[slot] ?? 0;
    const name = nameIn(batch.data, slot * SLOT_BYTES);
    const changes = settleBus(bus, timeS);
    for (const [address, contender] of bus.contenders) if (contender.name === name && address !== source) bus.contenders.delete(address);
    return [...changes, ...(source === NO_ADDRESS ? release(bus, name, timeS) : claim(bus, name, source, timeS))];
  }

  function settle(nowS: number): readonly AddressChange[] {
    return [...buses.values()].flatMap((bus) => settleBus(bus, nowS));
  }

  return {
    hear,
    settle,
    nextDueS: () => {
      let next: number | undefined;
      for (const { contenders } of buses.values()) for (const { untilS } of contenders.values()) next = Math.min(next ?? untilS, untilS);
      return next;
    },
    nameAt: (bus, address) => buses.get(bus)?.holders.get(address),
    addressOf: (bus, name) => buses.get(bus)?.addresses.get(name),
  };
}

function settleBus(bus: Bus, nowS: number): readonly AddressChange[] {
  const due = [...bus.contenders].filter(([, { untilS }]) => nowS >= untilS).sort(([, a], [, b]) => a.untilS - b.untilS);
  return due.flatMap(([address, { name, untilS }]) => take(bus, name, address, untilS));
}

function claim(bus: Bus, name: bigint, address: number, timeS: number): readonly AddressChange[] {
  const holder = bus.holders.get(address);
  if (holder === name) {
    bus.contenders.delete(address);
    return [];
  }
  if (holder === undefined || name < holder) return take(bus, name, address, timeS);
  const rival = bus.contenders.get(address);
  if (rival === undefined || name <= rival.name) bus.contenders.set(address, { name, untilS: timeS + CONTENTION_S });
  return release(bus, name, timeS);
}

/** `name` has `address` from now on, whoever had it. */
function take(bus: Bus, name: bigint, address: number, timeS: number): readonly AddressChange[] {
  const from = bus.addresses.get(name);
  const holder = bus.holders.get(address);
  const changes: AddressChange[] = [];
  bus.contenders.delete(address);
  if (holder !== undefined) {
    bus.addresses.delete(holder);
    changes.push({ bus: bus.index, name: holder, from: address, to: undefined, timeS });
  }
  bus.holders.set(address, name);
  bus.addresses.set(name, address);
  changes.push({ bus: bus.index, name, from, to: address, timeS });
  return from === undefined ? changes : [...changes, ...vacate(bus, from, timeS)];
}

/** `name` has no address from now on. */
function release(bus: Bus, name: bigint, timeS: number): readonly AddressChange[] {
  const from = bus.addresses.get(name);
  if (from === undefined) return [];
  bus.addresses.delete(name);
  return [{ bus: bus.index, name, from, to: undefined, timeS }, ...vacate(bus, from, timeS)];
}

/** Nobody has the address any more: whoever waits for it has it. */
function vacate(bus: Bus, address: number, timeS: number): readonly AddressChange[] {
  bus.holders.delete(address);
  const contender = bus.contenders.get(address);
  return contender === undefined ? [] : take(bus, contender.name, address, timeS);
}

function nameIn(data: Uint8Array, start: number): bigint {
  let name = 0n;
  for (let at = NAME_BYTES - 1; at >= 0; at--) name = (name << 8n) | BigInt(data[start + at] ?? 0);
  return name;
}
