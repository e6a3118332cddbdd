// The body of `drover can encode`: values of one message in, its frame out, as cansend takes it.
//
//   123#0011223344556677        11 bits of id in 3 digits, 29 bits in 8
//   0CF00400##1001122…          CAN FD; the digit behind ## is 1 where the message switches its bit rate (CANFD_BRS)

import { attributeOf, type CanFrame, type CanMessage, type Database, encodeFrame, findMessage, parseDbc } from "../../protocols/can/index.ts";
import { type Call, CommandFailure, EXIT, type ExitCode, printJson } from "../terminal/index.ts";
import { databaseBytes } from "./database-bytes.ts";

export interface EncodeCommand {
  /** DBC file; `-` is standard input. */
  readonly dbc: string;
  readonly message: string;
  /** `signal=value`; a value that is no number is a label. */
  readonly values: readonly string[];
  /** Numbers are raw instead of physical. */
  readonly raw: boolean;
  /** What fills bits that belong to no given signal. */
  readonly padding: 0 | 1;
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const WHOLE = /^-?(?:\d+|0[xX][0-9a-fA-F]+)$/;
const MAX_NAMES_SHOWN = 5;

/** @throws DROVER_FILE_UNREADABLE, DROVER_DBC_INVALID, and a CommandFailure for what cannot be encoded */
export async function encodeMessage({ dbc, message: name, values, raw, padding }: EncodeCommand, call: Call): Promise<ExitCode> {
  const given = pairsOf(values);
  const bytes = await databaseBytes(dbc, call);
  const database = parseDbc(bytes, { file: dbc });
  const message = findMessage(database, name);
  if (message === undefined) throw unknownMessage(database, name, dbc);
  const outcome = encodeFrame(message, given, { raw, padding });
  if (outcome.kind === "refused")
    throw new CommandFailure({
      code: "not-encodable",
      title: `Message ${message.name} cannot be sent with these values.`,
      detail: outcome.problems.map((problem) => `${String(problem.signal)}: ${problem.message}`).join("\n"),
      advice: "Give values that the database allows; --raw gives bits as they are.",
      exit: EXIT.invalid,
    });
  const { id, extended = false, fd = false, data } = outcome.frame;
  const frame = cansendText(outcome.frame, switchesRate(database, message));
  if (call.json) printJson(call.out, { frame, message: message.name, id, extended, fd, data: Buffer.from(data).toString("hex") });
  else call.out.write(`${frame}\n`);
  return EXIT.ok;
}

function pairsOf(values: readonly string[]): ReadonlyMap<string, number | bigint | string> {
  const pairs = new Map<string, number | bigint | string>();
  for (const pair of values) {
    const at = pair.indexOf("=");
    const name = pair.slice(0, at);
    if (at <= 0 || pairs.has(name))
      throw new CommandFailure({
        code: "usage",
        title: "The command is not used as it can be.",
        detail: at <= 0 ? `${JSON.stringify(pair)} is no signal=value` : `${name} is given twice`,
        advice: "--help shows examples.",
        exit: EXIT.usage,
      });
    pairs.set(name, valueOf(pair.slice(at + 1)));
  }
  return pairs;
}

/** Whole numbers lose nothing beyond 2^53. */
function valueOf(text: string): number | bigint | string {
  if (WHOLE.test(text)) {
    const whole = text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text);
    return Number.isSafeInteger(Number(whole)) ? Number(whole) : whole;
  }
  if (DECIMAL.test(text)) return Number(text);
  return text === "NaN" ? Number.NaN : text;
}

function unknownMessage({ messages }: Database, name: string, dbc: string): CommandFailure {
  const like = messages.filter((message) => message.name.toLowerCase().includes(name.toLowerCase())).slice(0, MAX_NAMES_SHOWN);
  return new CommandFailure({
    code: "message-unknown",
    title: `There is no message ${JSON.stringify(name)}.`,
    detail: `${dbc} has ${String(messages.length)} messages${like.length === 0 ? "" : `, among them ${like.map((message) => message.name).join(", ")}`}`,
    advice: "Give the message's name as the database has it.",
    exit: EXIT.notFound,
  });
}

function switchesRate(database: Database, message: CanMessage): boolean {
  const says = attributeOf(database, message, "CANFD_BRS");
  return says === 1 || says === "1";
}

function cansendText({ id, extended, fd, data }: CanFrame, hasRateSwitch: boolean): string {
  const digits = id
    .toString(16)
    .toUpperCase()
    .padStart(extended === true ? 8 : 3, "0");
  return `${digits}${fd === true ? `##${hasRateSwitch ? "1" : "0"}` : "#"}${Buffer.from(data).toString("hex").toUpperCase()}`;
}
