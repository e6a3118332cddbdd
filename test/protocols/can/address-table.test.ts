// J1939 address claims: which NAME has which address, as claims come and time passes.

import { test } from "tap";
import { type AddressTable, appendFrame, type CanFrame, createAddressTable, createFrameBatch, formatJ1939Name, j1939Id, parseJ1939Name } from "../../../protocols/can/index.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";

function frameOf(name: bigint, source: number): CanFrame {
  const data = Uint8Array.from({ length: 8 }, (_, at) => Number((name >> BigInt(8 * at)) & 0xffn));
  return { id: j1939Id({ priority: 6, pgn: 0xee00, source, destination: 255 }), extended: true, data };
}

/** Changes as `NAME from>to`. */
function hear(table: AddressTable, frame: CanFrame, timeS: number, bus = 0): readonly string[] {
  const batch = createFrameBatch(1);
  appendFrame(batch, frame, { timeS, bus });
  return table.hear(batch, 0).map(describe);
}

const claim = (table: AddressTable, name: bigint, source: number, timeS: number, bus = 0): readonly string[] => hear(table, frameOf(name, source), timeS, bus);
const describe = ({ name, from, to }: { readonly name: bigint; readonly from: number | undefined; readonly to: number | undefined }): string =>
  `${name} ${from ?? "-"}>${to ?? "-"}`;

const zero = {
  hasArbitraryAddress: false,
  industryGroup: 0,
  vehicleSystemInstance: 0,
  vehicleSystem: 0,
  function: 0,
  functionInstance: 0,
  ecuInstance: 0,
  manufacturer: 0,
  identity: 0,
};

test("the fields of a NAME stand where the standard has them", (t) => {
  t.strictSame(parseJ1939Name(0x8000_0000_0000_0000n), { ...zero, hasArbitraryAddress: true });
  const name = (1n << 63n) | (2n << 60n) | (3n << 56n) | (100n << 49n) | (200n << 40n) | (21n << 35n) | (5n << 32n) | (1_234n << 21n) | 1_500_000n;
  t.strictSame(parseJ1939Name(name), {
    hasArbitraryAddress: true,
    industryGroup: 2,
    vehicleSystemInstance: 3,
    vehicleSystem: 100,
    function: 200,
    functionInstance: 21,
    ecuInstance: 5,
    manufacturer: 1_234,
    identity: 1_500_000,
  });
  t.equal(formatJ1939Name(0x1fn), "000000000000001F");
  const table = createAddressTable();
  claim(table, name, 7, 0);
  t.equal(table.nameAt(0, 7), name, "little-endian in the frame");
  t.end();
});

test("A1: a NAME has the address that it claimed last, on each bus by itself", (t) => {
  const table = createAddressTable();
  t.strictSame(claim(table, 10n, 128, 0), ["10 ->128"]);
  t.strictSame(claim(table, 10n, 128, 1), [], "said again");
  t.strictSame(claim(table, 10n, 130, 2), ["10 128>130"], "it moves");
  t.strictSame(claim(table, 11n, 128, 3), ["11 ->128"], "what it left is free");
  t.strictSame(claim(table, 10n, 5, 4, 1), ["10 ->5"], "another bus");
  t.strictSame([table.nameAt(0, 130), table.addressOf(0, 10n), table.addressOf(1, 10n), table.nameAt(0, 5), table.addressOf(2, 10n)], [10n, 130, 5, undefined, undefined]);
  t.end();
});

test("A2: the lower NAME has the address", (t) => {
  const table = createAddressTable();
  claim(table, 20n, 128, 0);
  t.strictSame(claim(table, 10n, 128, 1), ["20 128>-", "10 ->128"]);
  t.strictSame(claim(table, 20n, 129, 1.1), ["20 ->129"]);
  t.strictSame(claim(table, 20n, 128, 2), ["20 129>-"], "it left its own and has no right to this one");
  t.strictSame(claim(table, 10n, 128, 2.1), [], "defended");
  t.strictSame([table.settle(99).map(describe), table.nameAt(0, 128), table.addressOf(0, 20n)], [[], 10n, undefined]);
  t.end();
});

test("A3: an address that nobody defends for 250 ms goes to the higher NAME, of several to the lowest", (t) => {
  const table = createAddressTable();
  claim(table, 10n, 128, 0);
  t.equal(table.nextDueS(), undefined);
  claim(table, 30n, 128, 1);
  claim(table, 20n, 128, 1.1);
  claim(table, 40n, 128, 1.2);
  t.equal(table.nextDueS(), 1.35);
  t.strictSame(table.settle(1.34).map(describe), []);
  t.strictSame(claim(table, 99n, 7, 1.36), ["10 128>-", "20 ->128", "99 ->7"], "settled by the next claim");
  t.equal(table.nextDueS(), undefined);

  const moved = createAddressTable();
  claim(moved, 10n, 128, 0);
  claim(moved, 20n, 128, 1);
  t.strictSame(claim(moved, 10n, 129, 1.1), ["10 128>129", "20 ->128"], "the holder leaves it");
  claim(moved, 30n, 128, 2);
  t.strictSame(claim(moved, 30n, 140, 2.1), ["30 ->140"], "the contender takes another one");
  t.equal(moved.nextDueS(), undefined);
  claim(moved, 30n, 129, 3);
  t.strictSame(claim(moved, 10n, 254, 3.1), ["10 129>-", "30 ->129"]);
  t.end();
});

test("A4: who cannot claim an address has none; what is no claim changes nothing", (t) => {
  const table = createAddressTable();
  claim(table, 10n, 128, 0);
  t.strictSame(claim(table, 10n, 254, 1), ["10 128>-"]);
  t.strictSame(claim(table, 10n, 254, 2), []);
  t.strictSame([table.nameAt(0, 128), table.nameAt(0, 254)], [undefined, undefined]);
  const good = frameOf(10n, 128);
  for (const odd of [
    frameOf(10n, 255),
    { ...good, data: good.data.subarray(0, 7) },
    { ...good, extended: false },
    { ...good, remote: true },
    { ...good, id: good.id - 0x1_0000 },
  ]) {
    t.strictSame(hear(table, odd, 3), []);
  }
  t.end();
});

test("A5: under random claims the two directions agree, every change is told, and nothing grows", (t) => {
  for (let seed = 1; seed <= 10; seed++) {
    const random = new SeededRandom(seed);
    const table = createAddressTable();
    const told = new Map<bigint, number>();
    const batch = createFrameBatch(1);
    let timeS = 0;
    for (let count = 0; count < 3_000; count++) {
      timeS += random.next() * 0.2;
      batch.count = 0;
      const name = seed === 1 ? BigInt(random.uint32()) : BigInt(random.uint32() & 15);
      appendFrame(batch, frameOf(name, seed === 1 ? random.uint32() & 0xff : ([1, 2, 3, 254][random.uint32() & 3] ?? 0)), { timeS });
      for (const { name: who, from, to } of [...table.hear(batch, 0), ...(random.next() < 0.2 ? table.settle(timeS) : [])]) {
        t.equal(told.get(who), from, `seed ${seed}`);
        if (to === undefined) told.delete(who);
        else told.set(who, to);
      }
    }
    t.ok(told.size <= 254);
    for (const [name, address] of told) t.strictSame([table.addressOf(0, name), table.nameAt(0, address)], [address, name]);
    for (let address = 0; address < 254; address++) {
      const name = table.nameAt(0, address);
      if (name !== undefined) t.equal(told.get(name), address);
    }
  }
  t.end();
});
