// One end of an ISO-TP link that takes part: its ids, and the frames that it sends.

import { type CanFrame, fdLength } from "../frames/index.ts";
import { addressBytesOf, type FlowStatus, type IsoTpAddressing, MAX_SHORT_BYTES, singleFrameBytes, STATUSES } from "./protocol-frame.ts";

/** 11 bits, or 29 with `extended`. */
export type LinkId = Pick<CanFrame, "id" | "extended">;

export interface IsoTpLink {
  readonly sends: LinkId;
  readonly hears: LinkId;
  /** Default `normal`. */
  readonly addressing?: IsoTpAddressing;
  /** The address byte of the frames that it sends and of those that it hears, with extended and mixed addressing. Default 0. */
  readonly sendAddress?: number;
  readonly hearAddress?: number;
  /** The most bytes of a frame that it sends: 8, or with CAN FD 12 to 64. Default 8. */
  readonly frameBytes?: number;
  /** Fills frames up to 8 bytes; "none" leaves them short. Default 0xCC. Longer ones are always filled up to a length of CAN FD. */
  readonly padding?: number | "none";
}

const DEFAULT_PADDING = 0xcc;

/** Whether a frame is one that the link hears: its id, and the address byte where there is one. */
export function isHeard(link: IsoTpLink, frame: CanFrame): boolean {
  const isOurs = frame.id === link.hears.id && (frame.extended ?? false) === (link.hears.extended ?? false) && frame.remote !== true;
  return isOurs && (addressBytes(link) === 0 || frame.data[0] === (link.hearAddress ?? 0));
}

export function addressBytes(link: IsoTpLink): 0 | 1 {
  return addressBytesOf(link.addressing ?? "normal");
}

function frameBytes(link: IsoTpLink): number {
  return link.frameBytes ?? 8;
}

/** Whether a payload of `bytes` bytes fits a single frame. */
export function fitsSingle(link: IsoTpLink, bytes: number): boolean {
  return bytes <= singleFrameBytes(frameBytes(link), addressBytes(link));
}

export function singleFrame(link: IsoTpLink, payload: Uint8Array): CanFrame {
  const { length } = payload;
  return frameOf(link, length <= singleFrameBytes(8, addressBytes(link)) ? [length] : [0, length], payload);
}

/** Takes its part from the beginning of the payload. */
export function firstFrame(link: IsoTpLink, payload: Uint8Array): CanFrame {
  const { length } = payload;
  const header = length <= MAX_SHORT_BYTES ? [0x10 | (length >> 8), length & 0xff] : [0x10, 0, length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff];
  return frameOf(link, header, payload.subarray(0, firstFrameBytes(link, length)));
}

/** Payload bytes of the first frame of a message of `length` bytes. */
export function firstFrameBytes(link: IsoTpLink, length: number): number {
  return frameBytes(link) - addressBytes(link) - (length <= MAX_SHORT_BYTES ? 2 : 6);
}

/** Takes its part from `at` on. */
export function consecutiveFrame(link: IsoTpLink, payload: Uint8Array, at: number, sequence: number): CanFrame {
  return frameOf(link, [0x20 | sequence], payload.subarray(at, at + consecutiveFrameBytes(link)));
}

/** Payload bytes of a consecutive frame, but for the last. */
export function consecutiveFrameBytes(link: IsoTpLink): number {
  return frameBytes(link) - addressBytes(link) - 1;
}

/** @param stMinCode as it stands in the frame */
export function flowControl(link: IsoTpLink, status: FlowStatus, blockSize: number, stMinCode: number): CanFrame {
  return frameOf(link, [0x30 | STATUSES.indexOf(status), blockSize, stMinCode], new Uint8Array(0));
}

function frameOf(link: IsoTpLink, header: readonly number[], payload: Uint8Array): CanFrame {
  const address = addressBytes(link) === 0 ? [] : [link.sendAddress ?? 0];
  const used = address.length + header.length + payload.length;
  const { padding = DEFAULT_PADDING } = link;
  const data = new Uint8Array(used > 8 || padding === "none" ? fdLength(used) : 8).fill(padding === "none" ? DEFAULT_PADDING : padding);
  data.set([...address, ...header]);
  data.set(payload, address.length + header.length);
  return { ...link.sends, data, ...(frameBytes(link) > 8 ? { fd: true } : {}) };
}
