// What NMEA 2000 adds to J1939: messages of up to 223 bytes as fast packets.

export { createFastPackets, type FastPacketOptions } from "./fast-packet.ts";
