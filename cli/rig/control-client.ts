// Asks a rig in another process: for the demo's keys, for tests that count effects at the bus.

import { connect, type Socket } from "node:net";
import type { Clock } from "../../runtime/ports/index.ts";
import type { RigAnswer } from "./rig-commands.ts";

export interface RigControl {
  /**
   * One request, e.g. `{ do: "acts", since: 4 }`; answers come in order.
   * Settles within `withinMs` (default 2000): a silent or lost rig is `ok: false`, and then nobody knows whether it did it.
   */
  ask(request: { readonly do: string } & Readonly<Record<string, unknown>>, withinMs?: number): Promise<RigAnswer>;
  close(): void;
}

/** Connects to `control.sock`. Rejects when nobody listens there. */
export async function connectRigControl(path: string, clock: Clock): Promise<RigControl> {
  const socket = await opened(path);
  const waiting = new Map<number, (answer: RigAnswer) => void>();
  let next = 1;
  let text = "";
  const failed = (error: string): RigAnswer => ({ ok: false, simulated: true, error });
  const settle = (id: number, answer: RigAnswer): void => {
    waiting.get(id)?.(answer);
    waiting.delete(id);
  };
  socket.setEncoding("utf8");
  socket.on("error", () => undefined);
  socket.on("data", (chunk: string) => {
    text += chunk;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n")) {
      const answer = parsed(text.slice(0, end));
      text = text.slice(end + 1);
      if (answer === undefined) socket.destroy();
      else settle(answer.id, answer.answer);
    }
  });
  socket.once("close", () => {
    for (const id of [...waiting.keys()]) settle(id, failed("the rig closed the connection"));
  });
  return {
    ask: (request, withinMs = 2000) =>
      new Promise((resolve) => {
        const id = next++;
        const timer = clock.setTimeout(() => {
          settle(id, failed(`no answer to ${request.do} within ${String(withinMs)} ms`));
        }, withinMs);
        waiting.set(id, (answer) => {
          clock.clearTimeout(timer);
          resolve(answer);
        });
        if (socket.destroyed) settle(id, failed("the rig closed the connection"));
        else socket.write(`${JSON.stringify({ ...request, id })}\n`);
      }),
    close: () => {
      socket.destroy();
    },
  };
}

/** Undefined: what listens there is no rig. */
function parsed(line: string): { readonly id: number; readonly answer: RigAnswer } | undefined {
  try {
    const { id, ...answer } = JSON.parse(line) as RigAnswer & { readonly id: number };
    return { id, answer };
  } catch {
    return undefined;
  }
}

function opened(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}
