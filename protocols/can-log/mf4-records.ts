// The records of an ASAM MDF 4 bus log, as loggers write them: an id, then the fields of its kind (mf4-description.ts). The bytes of a data frame lie in the record, or in one of their own right behind it.
//
// M1. CAN_DataFrame, CAN_RemoteFrame and CAN_ErrorFrame are frames; LIN and others are none. Bus channel 2 is `can2`.
// M2. A record whose id nothing describes is damage: nothing behind it can be placed.

import { EXTENDED_FRAME, type FrameBatch, FrameFlag, ID_MASK, lengthOfDlc, rawDlc, REMOTE_REQUEST, SLOT_BYTES } from "../can/index.ts";
import { type BlockFormat, BlockRecords } from "./block-records.ts";
import { createNumberedBuses, TOO_MANY_BUSES } from "./bus-index.ts";
import { appendBusError } from "./error-frame.ts";
import type { Mf4Description, Mf4Field, Mf4Kind } from "./mf4-description.ts";
import type { RecordReader, RecordTally } from "./record-format.ts";
import { appendRecorded, timeProblem } from "./recorded-frame.ts";

/** Of the length before what is of any length. */
const LENGTH_BYTES = 4;

type AppendWith = (batch: FrameBatch, data: Uint8Array) => void;

/** @param buses receives the names of its channels */
export function mf4Records(description: Mf4Description, buses: string[], tally: RecordTally): RecordReader {
  const { idBytes, kinds, dataAt } = description;
  const busOf = createNumberedBuses(buses);
  /** Of the frame whose bytes come next. */
  let waiting: AppendWith | undefined;
  const kindOf = (record: DataView): Mf4Kind | undefined => kinds.get(idBytes === 1 ? record.getUint8(0) : idBytes === 2 ? record.getUint16(0, true) : record.getUint32(0, true));
  const format: BlockFormat = {
    format: "mf4",
    namesBuses: true,
    headBytes: idBytes + LENGTH_BYTES,
    sizeOf: (head) => {
      const kind = kindOf(head);
      if (kind === undefined) return { problem: "a record of a kind that is not described" };
      return idBytes + (kind.recordBytes ?? LENGTH_BYTES + head.getUint32(idBytes, true));
    },
    take: (record, batch) => {
      const kind = kindOf(record);
      if (kind === undefined) return undefined;
      if (kind.recordBytes === undefined) {
        const data = new Uint8Array(record.buffer, record.byteOffset + idBytes + LENGTH_BYTES, record.byteLength - idBytes - LENGTH_BYTES);
        waiting?.(batch, data);
        waiting = undefined;
        return undefined;
      }
      const body = new DataView(record.buffer, record.byteOffset + idBytes, record.byteLength - idBytes);
      const isData = kind.name === "CAN_DataFrame";
      const isRemote = kind.name === "CAN_RemoteFrame";
      if (!isData && !isRemote && kind.name !== "CAN_ErrorFrame") return undefined;
      const timeS = description.startS + timeOf(body, kind);
      const noTime = timeProblem(timeS);
      if (noTime !== undefined) return noTime.problem;
      const bus = busOf(valueOf(body, kind.fields.get("BusChannel")));
      if (bus === undefined) return TOO_MANY_BUSES.problem;
      const place = { timeS, bus, line: tally.records };
      if (!isData && !isRemote) {
        appendBusError(batch, { ...place, flags: 0 });
        return undefined;
      }
      const before = waiting === undefined ? undefined : "the bytes of the frame before are missing";
      waiting = takeFrame(body, kind, isRemote, place, batch);
      return before;
    },
  };
  return new BlockRecords(format, tally, dataAt);
}

/** Appends the frame; where its bytes come in the next record, returns what appends it with them. */
function takeFrame(
  body: DataView,
  kind: Mf4Kind,
  isRemote: boolean,
  place: { readonly timeS: number; readonly bus: number; readonly line: number },
  batch: FrameBatch,
): AppendWith | undefined {
  const value = (name: string): number => valueOf(body, kind.fields.get(name));
  const id = value("ID") & ID_MASK;
  const isFd = !isRemote && value("EDL") === 1;
  const dlc = Math.min(value("DLC"), 15);
  const length = isRemote ? lengthOfDlc(dlc, false) : Math.min(kind.fields.has("DataLength") ? value("DataLength") : lengthOfDlc(dlc, isFd), isFd ? SLOT_BYTES : 8);
  const isExtended = value("IDE") === 1 || id > 0x7ff;
  const fdFlags = isFd ? FrameFlag.fd | (value("BRS") === 1 ? FrameFlag.bitRateSwitch : 0) | (value("ESI") === 1 ? FrameFlag.errorState : 0) : 0;
  const frame = {
    ...place,
    canId: id + (isExtended ? EXTENDED_FRAME : 0) + (isRemote ? REMOTE_REQUEST : 0),
    length,
    dlc: isFd || length < 8 ? rawDlc(length) : dlc,
    flags: fdFlags | (kind.fields.has("Dir") ? (value("Dir") === 1 ? FrameFlag.sentByUs : FrameFlag.received) : 0),
  };
  const append: AppendWith = (into, data) => {
    const base = appendRecorded(into, frame);
    into.data.set(data.subarray(0, length), base);
  };
  const field = kind.fields.get("DataBytes");
  if (!isRemote && length > 0 && field?.isElsewhere === true) return append;
  const isHere = !isRemote && field !== undefined && !field.isElsewhere && field.byte + length <= body.byteLength;
  append(batch, isHere ? new Uint8Array(body.buffer, body.byteOffset + field.byte, length) : new Uint8Array(0));
  return undefined;
}

function timeOf(body: DataView, { time }: Mf4Kind): number {
  if (time === undefined || time.byte + 8 > body.byteLength) return Number.NaN;
  const raw = time.isFloat ? body.getFloat64(time.byte, true) : Number(body.getBigUint64(time.byte, true));
  return time.offsetS + raw * time.factorS;
}

/** A whole number of up to 53 bits; 0 where the record has no such field. */
function valueOf(body: DataView, field: Mf4Field | undefined): number {
  if (field === undefined) return 0;
  let value = 0;
  const bytes = Math.ceil((field.bit + field.bits) / 8);
  for (let at = Math.min(bytes, 7) - 1; at >= 0; at--) value = value * 256 + (field.byte + at < body.byteLength ? body.getUint8(field.byte + at) : 0);
  return Math.floor(value / 2 ** field.bit) % 2 ** Math.min(field.bits, 53);
}
