// The body of the thread that owns one SQLite file (rules L1): takes requests from a port, one after the other, and answers each (thread-protocol.ts: in which order).
//
// A thread serves one file for one life, because @photostructure/sqlite gives a connection's locks back for certain only when the thread ends. So a file whose disk
// or contents fail ends its thread, after the answer; the facade starts another, whose opening decides what is kept (rules L3).

import type { MessagePort } from "node:worker_threads";
import { DroverError } from "../../runtime/ports/index.ts";
import { type Driver, isDamage, isFailure, isFlushFailure, loadDriver } from "./driver.ts";
import { type Contents, type FileSpec, openFile, type OpenFile } from "./open-file.ts";
import { journalContents, serveJournal } from "./serve-journal.ts";
import { logContents, serveLog } from "./serve-log.ts";
import type { Handled, Service } from "./service.ts";
import { enter, leave, type ThreadGate } from "./thread-gate.ts";
import { errorData, type ThreadAnswer, type ThreadRequest } from "./thread-protocol.ts";
import { WaitingRequests } from "./waiting-requests.ts";

export type ServiceKind = "journal" | "log";
export interface OpenArgument {
  readonly kind: ServiceKind;
  readonly file: FileSpec;
  /** What the kind needs beside the file. */
  readonly settings: unknown;
}

const KINDS: Readonly<Record<ServiceKind, { readonly contents: Contents; readonly serve: (file: OpenFile, settings: unknown) => Service }>> = {
  journal: { contents: journalContents, serve: serveJournal },
  log: { contents: logContents, serve: serveLog },
};

/** Resolves once the file was closed by a call, the gate was shut, or the other side closed the port. Rejects when the disk or the contents failed. Either way the thread must end then. */
export async function runStoreThread(port: MessagePort, gate: ThreadGate): Promise<void> {
  // Messages wait in the port until somebody listens; its close would be missed.
  const closed = new Promise<void>((resolve) => port.once("close", resolve));
  const driver = await loadDriver();
  leave(gate);
  let served: { readonly file: OpenFile; readonly service: Service } | undefined;

  const life = new Promise<void>((resolve, reject) => {
    let isOver = false;
    const waiting = new WaitingRequests(port);
    port.on("message", (request: ThreadRequest) => {
      waiting.push(request);
      // What waits behind a failure is not carried out any more: its thread ends, and nobody hears of it.
      for (let next = waiting.shift(); next !== undefined && !isOver; next = waiting.shift()) carryOutNext(next);
    });

    function carryOutNext({ id, call, argument }: ThreadRequest): void {
      if (!enter(gate)) {
        isOver = true;
        resolve();
        return;
      }
      const failure = answer(id, call, argument);
      leave(gate);
      if (failure !== undefined) {
        isOver = true;
        reject(failure instanceof Error ? failure : new Error("the file failed", { cause: failure }));
      } else if (call === "close") resolve();
    }
  });
  await Promise.race([life, closed]);

  /** @returns what the file failed with */
  function answer(id: number, call: string, argument: unknown): unknown {
    try {
      const { value, failure, afterwards } = carryOut(call, argument);
      tell({ id, value }, failure);
      if (failure !== undefined || afterwards === undefined) return failure;
      try {
        afterwards();
        return undefined;
      } catch (error) {
        // Nobody asked for it, so nobody is answered.
        tell({ id: -1 }, error);
        return isFailure(error) ? error : undefined;
      }
    } catch (error) {
      tell({ id, error: errorData(error) }, error);
      return isFailure(error) ? error : undefined;
    }
  }

  /** A failure is remembered beside the file first: whoever is told of a failed flush ends the process, and may be faster than what would come after. */
  function tell(answer: ThreadAnswer, failure: unknown): void {
    if (isDamage(failure) || isFlushFailure(failure)) remember();
    port.postMessage({ ...answer, ...flushFailedBy(failure) } satisfies ThreadAnswer);
  }

  function carryOut(call: string, argument: unknown): Handled {
    if (call === "open") return { value: open(driver, argument as OpenArgument) };
    if (call === "close") return { value: served?.file.close() };
    if (served === undefined) throw new DroverError("DROVER_STORE_FAILED", "the file is not open", { retryable: true });
    if (call === "missing") return { value: served.file.missing() };
    return served.service.handle(call, argument);
  }

  function open(driver: Driver, { kind, file: spec, settings }: OpenArgument): unknown {
    const { contents, serve } = KINDS[kind];
    const file = openFile(driver, spec, contents);
    const service = serve(file, settings);
    served = { file, service };
    return { created: file.created, movedAside: file.movedAside, isRestored: file.isRestored, unclean: file.unclean, service: service.opened };
  }

  function flushFailedBy(error: unknown): { readonly flushFailed?: string } {
    return isFlushFailure(error) ? { flushFailed: (error as Error).message } : {};
  }

  function remember(): void {
    try {
      served?.file.suspect();
    } catch {
      // The same disk: the next opening will meet the damage by itself or not at all.
    }
  }
}
