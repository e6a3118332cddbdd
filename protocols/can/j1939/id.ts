// The 29-bit id of SAE J1939: priority 3, extended data page 1, data page 1, PDU format 8, PDU specific 8, source address 8.
//
//   28 27 26 | 25  | 24 | 23 .. 16 | 15 .. 8 | 7 .. 0
//   priority | EDP | DP | PF       | PS      | SA
//
// PF < 240 (PDU1): PS is the destination and no part of the parameter group number; else (PDU2) it is.

export interface J1939Id {
  readonly priority: number;
  readonly pgn: number;
  readonly source: number;
  /** 255 (everyone) for PDU2. */
  readonly destination: number;
}

export function pgnOf(id: number): number {
  const group = (id >>> 8) & 0x3ffff;
  return (group & 0xff00) < 0xf000 ? group & 0x3ff00 : group;
}

export function parseJ1939Id(id: number): J1939Id {
  const pgn = pgnOf(id);
  return { priority: (id >>> 26) & 7, pgn, source: id & 0xff, destination: (pgn & 0xff00) < 0xf000 ? (id >>> 8) & 0xff : 0xff };
}

/** The id of 29 bits. The destination is part of it for PDU1 only. */
export function j1939Id({ priority, pgn, source, destination }: J1939Id): number {
  const group = pgnOf(pgn << 8);
  return (priority << 26) | (group << 8) | ((group & 0xff00) < 0xf000 ? destination << 8 : 0) | source;
}
