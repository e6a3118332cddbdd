// What all verbs share that ask a node: where it is and with which token.

import type { Command } from "commander";

export interface ConnectedOptions {
  readonly url?: string;
  readonly token?: string;
  readonly data?: string;
}

/** Adds the options; on the machine of the node none of them is needed. */
export function connected(command: Command): Command {
  return command
    .option("--url <url>", "the node's API; default: DROVER_URL, else the node of the data folder, else http://127.0.0.1:8080")
    .option("--token <token>", "default: DROVER_TOKEN, else the file api-token of the data folder")
    .option("--data <folder>", "the node's data folder; default: DROVER_DATA, else .drover");
}
