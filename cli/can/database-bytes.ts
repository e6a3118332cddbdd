// A CAN database as a command names it.

import { readNamedFile, readNamedStream } from "../../runtime/host/index.ts";
import type { Call } from "../terminal/index.ts";

/** @param file path; `-` is standard input  @throws DROVER_FILE_UNREADABLE */
export function databaseBytes(file: string, { input, interrupt }: Pick<Call, "input" | "interrupt">): Promise<Uint8Array> {
  return file === "-" ? readNamedStream(input, "standard input", "a DBC", interrupt) : readNamedFile(file, "a DBC", interrupt);
}
