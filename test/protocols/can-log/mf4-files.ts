// ASAM MDF 4 bus logs made by hand, as loggers write them: what describes the records, then the records.

export interface MadeField {
  readonly name: string;
  /** 0 in the record, 1 elsewhere, 2 the time. Default 0. */
  readonly type?: number;
  readonly dataType?: number;
  readonly byte: number;
  readonly bit?: number;
  readonly bits: number;
}

export interface MadeKind {
  readonly id: number;
  readonly name: string;
  /** Undefined where each record says its length. */
  readonly recordBytes: number | undefined;
  readonly fields: readonly MadeField[];
}

const u64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

const f64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
};

function block(id: string, links: readonly number[], data: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`##${id}\0\0\0\0`, "latin1"), u64(24 + 8 * links.length + data.length), u64(links.length), ...links.map(u64), data]);
}

/** @param startNs since 1970 @param records with their ids @param dataId of the block that holds them */
export function mf4File(startNs: number, kinds: readonly MadeKind[], records: Buffer, { dataId = "DT", idBytes = 1 } = {}): Buffer {
  const parts: Buffer[] = [Buffer.concat([Buffer.from("UnFinMF 4.11    drover  ", "latin1"), Buffer.alloc(40)]), Buffer.alloc(104)];
  let at = 168;
  const put = (bytes: Buffer): number => {
    parts.push(bytes);
    at += bytes.length;
    return at - bytes.length;
  };
  const text = (content: string): number => put(block("TX", [], Buffer.from(`${content}\0\0`)));
  const scale = put(block("CC", [0, 0, 0, 0], Buffer.concat([Buffer.from([1, 0, 0, 0, 0, 0, 2, 0]), Buffer.alloc(16), f64(0), f64(1e-9)])));
  const field = (kind: string, { name, type = 0, dataType = 0, byte, bit = 0, bits }: MadeField, next: number): number => {
    const named = text(`${kind}.${name}`);
    return put(block("CN", [next, 0, named, 0, type === 2 ? scale : 0, 0, 0, 0], Buffer.concat([Buffer.from([type, 0, dataType, bit]), u32(byte), u32(bits), Buffer.alloc(60)])));
  };
  const kind = ({ id, name, recordBytes, fields }: MadeKind, next: number): number => {
    const first = fields.reduceRight((behind, one) => field(name, one, behind), 0);
    const named = text(name);
    return put(
      block(
        "CG",
        [next, first, named, 0, 0, 0],
        Buffer.concat([u64(id), u64(0), Buffer.from([recordBytes === undefined ? 1 : 0, 0, 0, 0]), Buffer.alloc(4), u32(recordBytes ?? 0), u32(0)]),
      ),
    );
  };
  const firstKind = kinds.reduceRight((behind, one) => kind(one, behind), 0);
  const group = put(block("DG", [0, firstKind, at + 64, 0], Buffer.from([idBytes, 0, 0, 0, 0, 0, 0, 0])));
  parts[1] = block("HD", [group, 0, 0, 0, 0, 0], Buffer.concat([u64(startNs), Buffer.alloc(24)]));
  return Buffer.concat([...parts, block(dataId, [], Buffer.alloc(0)), records]);
}

const TIME: MadeField = { name: "Timestamp", type: 2, dataType: 4, byte: 0, bits: 64 };
const ID: readonly MadeField[] = [
  { name: "IDE", byte: 8, bits: 1 },
  { name: "BusChannel", byte: 8, bit: 1, bits: 2 },
  { name: "ID", byte: 8, bit: 3, bits: 29 },
  { name: "Dir", byte: 12, bits: 1 },
  { name: "DataLength", byte: 12, bit: 1, bits: 7 },
  { name: "DLC", byte: 13, bit: 4, bits: 4 },
];
const FD_FLAGS: readonly MadeField[] = [
  { name: "EDL", byte: 13, bits: 1 },
  { name: "BRS", byte: 13, bit: 1, bits: 1 },
  { name: "ESI", byte: 13, bit: 2, bits: 1 },
];

export const KINDS: readonly MadeKind[] = [
  { id: 1, name: "CAN_DataFrame", recordBytes: 22, fields: [TIME, ...ID, ...FD_FLAGS, { name: "DataBytes", type: 1, dataType: 10, byte: 14, bits: 64 }] },
  { id: 2, name: "", recordBytes: undefined, fields: [] },
  { id: 3, name: "CAN_RemoteFrame", recordBytes: 14, fields: [TIME, ...ID] },
  { id: 4, name: "CAN_ErrorFrame", recordBytes: 9, fields: [TIME, { name: "BusChannel", byte: 8, bits: 2 }] },
  { id: 5, name: "LIN_Frame", recordBytes: 10, fields: [TIME] },
];
/** Their bytes stand in the record. */
export const KINDS_INLINE: readonly MadeKind[] = [
  { id: 1, name: "CAN_DataFrame", recordBytes: 22, fields: [TIME, ...ID, ...FD_FLAGS, { name: "DataBytes", dataType: 10, byte: 14, bits: 64 }] },
];

export interface MadeFrame {
  readonly ns: number;
  readonly id: number;
  readonly ide?: number;
  readonly bus: number;
  readonly sent?: number;
  readonly length: number;
  readonly dlc: number;
  readonly fd?: number;
}

/** The fields that data frames and remote requests share. */
export function fields({ ns, id, ide = 0, bus, sent = 0, length, dlc, fd = 0 }: MadeFrame): Buffer {
  return Buffer.concat([f64(ns), u32(((id << 3) | (bus << 1) | ide) >>> 0), Buffer.from([sent | (length << 1), fd | (dlc << 4)])]);
}

/** Data frames whose bytes stand in records of their own behind them. */
export function dataFrames(frames: readonly (readonly [MadeFrame, readonly number[]])[]): Buffer {
  let elsewhere = 0;
  return Buffer.concat(
    frames.flatMap(([frame, data]) => {
      const record = Buffer.concat([Buffer.from([1]), fields(frame), u64(elsewhere)]);
      elsewhere += 4 + data.length;
      return [record, Buffer.concat([Buffer.from([2]), u32(data.length), Buffer.from(data)])];
    }),
  );
}

function errorRecord(ns: number, bus: number): Buffer {
  return Buffer.concat([Buffer.from([4]), f64(ns), Buffer.from([bus])]);
}

/** A small sound log of all kinds, its records `times` over. */
export function smallMf4(times = 1): Buffer {
  const data = dataFrames([
    [{ ns: 1e9, id: 0x123, bus: 1, length: 2, dlc: 2 }, [1, 2]],
    [{ ns: 2e9, id: 0x1234_5678, ide: 1, bus: 2, sent: 1, length: 12, dlc: 9, fd: 7 }, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]],
    [{ ns: 2e9, id: 0x7ff, bus: 1, length: 8, dlc: 13 }, [1, 2, 3, 4, 5, 6, 7, 8]],
    [{ ns: 2e9, id: 0x7ff, bus: 1, length: 0, dlc: 0 }, []],
  ]);
  const remote = Buffer.concat([Buffer.from([3]), fields({ ns: 3e9, id: 0x100, bus: 1, length: 0, dlc: 4 })]);
  const lin = Buffer.concat([Buffer.from([5]), f64(3e9), Buffer.from([1, 2])]);
  return mf4File(1_700_000_000_000_000_000, KINDS, Buffer.concat(Array.from({ length: times }, () => [data, remote, lin, errorRecord(4e9, 3)]).flat()));
}
