// The NAME of SAE J1939-81: 64 bits that identify a controller for life, little-endian in the 8 bytes of an address claim. As a number the lower one has the right to an address.
//
//   63             62 .. 60        59 .. 56          55 .. 49        48        47 .. 40  39 .. 35           34 .. 32      31 .. 21      20 .. 0
//   arbitrary      industry group  vehicle system    vehicle system  reserved  function  function instance  ECU instance  manufacturer  identity
//   address                        instance

export interface J1939Name {
  /** It can look for another address when it loses its own. */
  readonly hasArbitraryAddress: boolean;
  readonly industryGroup: number;
  readonly vehicleSystemInstance: number;
  readonly vehicleSystem: number;
  readonly function: number;
  readonly functionInstance: number;
  readonly ecuInstance: number;
  readonly manufacturer: number;
  readonly identity: number;
}

export function parseJ1939Name(name: bigint): J1939Name {
  const field = (shift: number, bits: number): number => Number((name >> BigInt(shift)) & ((1n << BigInt(bits)) - 1n));
  return {
    hasArbitraryAddress: field(63, 1) === 1,
    industryGroup: field(60, 3),
    vehicleSystemInstance: field(56, 4),
    vehicleSystem: field(49, 7),
    function: field(40, 8),
    functionInstance: field(35, 5),
    ecuInstance: field(32, 3),
    manufacturer: field(21, 11),
    identity: field(0, 21),
  };
}

/** 16 hexadecimal digits, the most significant first. */
export function formatJ1939Name(name: bigint): string {
  return name.toString(16).toUpperCase().padStart(16, "0");
}
