// The frames of the transport protocols of SAE J1939-21: TP for 9 to 1,785 bytes, ETP for more. Numbers of several bytes are little-endian; a group is the number of the message carried.
//
//   connection management (TP.CM 0xEC00, ETP.CM 0xC800)         0    1       2       3         4            5 .. 7
//     RTS          request to send                               16   size ········  packets   per CTS      group
//     CTS          clear to send: so many, from this one on      17   count   next    255       255          group
//     EndOfMsgAck  all has come                                  19   size ········  packets   255          group
//     BAM          announced to everyone, without CTS            32   size ········  packets   255          group
//     ETP RTS      request to send                               20   size ··························       group
//     ETP CTS      so many, from this one on                     21   count   next ················         group
//     ETP DPO      packets count from this offset, so many       22   count   offset ··············         group
//     ETP EOMA     all has come                                  23   size ··························       group
//     Abort        from either side                              255  reason  255     255       255          group
//   data transfer (TP.DT 0xEB00, ETP.DT 0xC700): sequence number from 1, then 7 bytes
//
// RTS, BAM, DPO and data go from sender to receiver; CTS and acknowledgement the other way.

export const TP_MANAGEMENT = 0xec00;
export const TP_DATA = 0xeb00;
export const ETP_MANAGEMENT = 0xc800;
export const ETP_DATA = 0xc700;

export const Control = { rts: 16, cts: 17, endOfMessage: 19, etpRts: 20, etpCts: 21, etpOffset: 22, etpEndOfMessage: 23, bam: 32, abort: 255 } as const;

/** Payload bytes of a data frame. */
export const PACKET_BYTES = 7;
export const MAX_TP_BYTES = 1_785;
/** The address of everyone. */
export const GLOBAL = 0xff;

/** Time limits of J1939-21 5.10.2.4, in seconds. T1: between packets; T2: from CTS to the first packet; T3: from the last packet to CTS or acknowledgement; T4: from a CTS that says wait to the next. */
export const LIMITS_S = { t1: 0.75, t2: 1.25, t3: 1.25, t4: 1.05 } as const;

export function packetsOf(bytes: number): number {
  return Math.ceil(bytes / PACKET_BYTES);
}
