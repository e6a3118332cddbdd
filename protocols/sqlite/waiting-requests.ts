// What a store's thread has not begun yet, in the order in which it is carried out: what is to be first before the rest, each in the order of posting.

import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { ThreadRequest } from "./thread-protocol.ts";

export class WaitingRequests {
  readonly #port: MessagePort;
  readonly #first: ThreadRequest[] = [];
  readonly #others: ThreadRequest[] = [];

  constructor(port: MessagePort) {
    this.#port = port;
  }

  push(request: ThreadRequest): void {
    (request.isFirst ? this.#first : this.#others).push(request);
  }

  /** The next one, of all that has been posted by now. */
  shift(): ThreadRequest | undefined {
    for (let posted = receiveMessageOnPort(this.#port); posted !== undefined; posted = receiveMessageOnPort(this.#port)) this.push(posted.message as ThreadRequest);
    return this.#first.shift() ?? this.#others.shift();
  }
}
