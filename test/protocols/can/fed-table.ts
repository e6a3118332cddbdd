// A signal table over a small database, fed frame by frame at times of the test's choosing.

import { appendFrame, createFrameBatch, createSignalTable, FrameFlag, parseDbc, type PresenceTracker, type SignalTable, type VehicleSignal } from "../../../protocols/can/index.ts";

export const trailer = parseDbc(
  'BO_ 1 Volts: 4 A\n SG_ Whole : 0|8@1+ (1,0) [0|0] "V" X\n SG_ Cents : 8|8@1+ (1,0) [0|0] "" X\n SG_ Flags : 16|8@1+ (1,0) [0|0] "" X\n SG_ Temp : 24|8@1- (0.5,-10) [0|0] "degC" X\n' +
    'BO_ 2 Power: 3 A\n SG_ Watts : 0|16@1+ (1,0) [0|0] "W" X\n SG_ Negative : 16|8@1+ (1,0) [0|0] "" X\n' +
    'BO_ 3 Mux: 2 A\n SG_ Sw M : 0|8@1+ (1,0) [0|0] "" X\n SG_ One m1 : 8|8@1+ (1,0) [0|0] "" X\n SG_ Two m2 : 8|8@1+ (1,0) [0|0] "" X\n',
);
const truck = parseDbc(
  'BO_ 2364540158 EEC1: 8 A\n SG_ Speed : 24|16@1+ (0.125,0) [0|0] "rpm" X\n SG_ Torque : 0|8@1+ (1,-125) [0|0] "%" X\n SG_ Switch : 8|2@1+ (1,0) [0|0] "" X\n',
);

type Described = Omit<Partial<VehicleSignal>, "terms"> & {
  readonly name: string;
  readonly from: string;
  readonly sa?: number;
  readonly and?: readonly (readonly [number, string])[];
};

/** `from` and `and` name bus.message.signal. */
export function signal({ from, sa, and = [], ...rest }: Described): VehicleSignal {
  const source = (text: string): VehicleSignal["terms"][number]["source"] => {
    const [bus = "", message = "", name = ""] = text.split(".");
    return { bus, message, signal: name, ...(sa === undefined ? {} : { sourceAddress: sa }) };
  };
  return { factor: 1, offset: 0, staleAfterMs: 1_000, terms: [{ source: source(from), weight: 1 }, ...and.map(([weight, text]) => ({ source: source(text), weight }))], ...rest };
}

export function tableOver(signals: readonly VehicleSignal[], presence?: PresenceTracker): SignalTable {
  return createSignalTable({
    buses: [
      { name: "can0", database: trailer, match: "exact" },
      { name: "can1", database: truck, match: "j1939" },
    ],
    signals,
    ...(presence === undefined ? {} : { presence }),
  });
}

/** @param id over 11 bits: extended */
export function feed(table: SignalTable, atMs: number, bus: string, id: number, bytes: readonly number[], flags: number = FrameFlag.received): void {
  const batch = createFrameBatch(1);
  appendFrame(batch, { id, extended: id > 0x7ff, data: Uint8Array.from(bytes) }, { timeS: atMs / 1_000, flags });
  table.feed(batch, [bus]);
}
