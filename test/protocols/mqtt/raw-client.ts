// A client that speaks bytes: what a well behaved library would never send.

import { connect, type Socket } from "node:net";

export interface RawClient {
  readonly socket: Socket;
  readonly received: () => Buffer;
  send(bytes: Uint8Array): void;
  /** Resolves when the broker has closed the connection. */
  readonly closed: Promise<void>;
  /** Resolves when at least so many bytes were received. */
  has(bytes: number): Promise<void>;
}

export async function rawClient(port: number): Promise<RawClient> {
  const socket = connect(port, "127.0.0.1");
  const chunks: Buffer[] = [];
  const waits = new Set<() => void>();
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    for (const wait of [...waits]) wait();
  });
  socket.on("error", () => undefined);
  const closed = new Promise<void>((resolve) =>
    socket.once("close", () => {
      resolve();
    }),
  );
  await new Promise<void>((resolve) =>
    socket.once("connect", () => {
      resolve();
    }),
  );
  const received = (): Buffer => Buffer.concat(chunks);
  return {
    socket,
    received,
    send: (bytes) => {
      socket.write(bytes);
    },
    closed,
    has: (bytes) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (received().length < bytes) return;
          waits.delete(look);
          resolve();
        };
        waits.add(look);
        look();
      }),
  };
}

function field(value: string): Buffer {
  const bytes = Buffer.from(value, "utf8");
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

/** Remaining length, 7 bits a byte, least significant first. */
export function remaining(length: number): Buffer {
  const bytes: number[] = [];
  let left = length;
  do {
    const low = left % 128;
    left = Math.floor(left / 128);
    bytes.push(left > 0 ? low | 0x80 : low);
  } while (left > 0);
  return Buffer.from(bytes);
}

export function packet(first: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([first]), remaining(body.length), body]);
}

export interface ConnectFields {
  readonly clientId: string;
  readonly user?: string;
  readonly secret?: string;
  readonly will?: { readonly topic: string; readonly payload: string };
  readonly version?: number;
  readonly keepaliveSeconds?: number;
  /** Default true. */
  readonly clean?: boolean;
}

/** @see MQTT 3.1.1 section 3.1: protocol name, level, flags (user 80, password 40, will retain 20, will 04, clean 02), keepalive, then the fields */
export function connectPacket(fields: ConnectFields): Buffer {
  const { clientId, user, secret, will, version = 4, keepaliveSeconds = 30, clean = true } = fields;
  const flags = (clean ? 0x02 : 0) | (user === undefined ? 0 : 0x80) | (secret === undefined ? 0 : 0x40) | (will === undefined ? 0 : 0x24);
  const head = Buffer.concat([field("MQTT"), Buffer.from([version, flags, keepaliveSeconds >> 8, keepaliveSeconds & 0xff])]);
  const optional = [
    will === undefined ? undefined : Buffer.concat([field(will.topic), field(will.payload)]),
    user === undefined ? undefined : field(user),
    secret === undefined ? undefined : field(secret),
  ];
  return packet(0x10, head, field(clientId), ...optional.filter((part) => part !== undefined));
}

export function publishPacket(topic: string, payload: Uint8Array, options: { readonly qos?: 0 | 1; readonly id?: number; readonly retain?: boolean } = {}): Buffer {
  const { qos = 0, id = 1, retain = false } = options;
  return packet(0x30 | (qos << 1) | (retain ? 1 : 0), field(topic), qos === 0 ? Buffer.alloc(0) : Buffer.from([id >> 8, id & 0xff]), payload);
}

export function subscribePacket(filter: string, id = 1): Buffer {
  return packet(0x82, Buffer.from([id >> 8, id & 0xff]), field(filter), Buffer.from([1]));
}
