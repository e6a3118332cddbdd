// What this node does for the update of a module: the five tasks of actors/update/work.ts, over the bus, the images of the cloud and the modules' upload ports.
//
// W1. What no repetition changes is a value; what may pass (no link, a full disk, a cloud that restarts) is thrown, and its machine tries again.
// W2. What the module took is its own claim: `taken` says that it answered 200 to all of it, and when (promise S8).
// W3. Progress of an upload is told in steps of ten per cent.
// W4. An image is for one type, hardware and address (research/trailcurrent.md 4.1). Its cloud has chosen it by what it knew of the vehicle; what counts is the vehicle's own file, as it is now.

import {
  cutTo,
  type ImageKept,
  type ImageUploaded,
  type ImageWanted,
  madeForWords,
  type ModuleCheck,
  type ModuleChecked,
  type ModuleContext,
  type UpdateTasks,
} from "../actors/index.ts";
import type { ModelModule } from "../actors/vehicle-file/index.ts";
import type { UploadOutcome } from "../protocols/module-upload/index.ts";
import type { System } from "../runtime/index.ts";
import type { Clock, Log } from "../runtime/ports/index.ts";
import type { CommandList } from "./commands.ts";
import type { UpdatePorts } from "./update-ports.ts";
import { notListed, type UpdateSafety } from "./update-safety.ts";
import type { UpdateTrigger } from "./update-trigger.ts";
import type { UploadUrls } from "./upload-urls.ts";

export interface UpdateTasksOptions {
  readonly commands: CommandList;
  readonly safety: UpdateSafety;
  readonly trigger: UpdateTrigger;
  readonly urlOf: UploadUrls;
  /** undefined: this node is not configured for updates. */
  readonly ports: UpdatePorts | undefined;
  readonly system: () => Pick<System, "read" | "notify">;
  readonly clock: Clock;
  readonly log: Log;
}

const STEP_PERCENT = 10;
/** Of what a module answers. */
const MAX_WHY = 300;
/** Answers of the cloud that stand: it has no such image for this vehicle. All others may be a credential or a proxy that somebody is mending. */
const NO_SUCH_IMAGE = new Set([404, 410]);
const NOT_CONFIGURED = "this vehicle's node updates no modules: its configuration has no updates";

export function updateTasks({ commands, safety, trigger, urlOf, ports, system, clock, log }: UpdateTasksOptions): UpdateTasks {
  const { vehicle, model } = commands;

  function check({ module, madeFor }: ModuleCheck): ModuleChecked {
    const refused = (why: string): ModuleChecked => ({ kind: "refused", why });
    if (ports === undefined) return refused(NOT_CONFIGURED);
    const place = model.modules.find(({ name }) => name === module);
    if (place === undefined) return refused(`the vehicle's file has no module ${module}`);
    // W4.
    if (madeFor !== undefined && !isMadeFor(madeFor, place)) return refused(`the image is for ${kindOf(madeFor)}, and by the vehicle's file ${module} is ${kindOf(place)}`);
    const update = safety.listed(module);
    if (update === undefined) return refused(notListed(module));
    const part = Object.hasOwn(model.parts, module) ? model.parts[module] : undefined;
    if (part === undefined) return refused(`the vehicle's file does not say which part is in ${module} (parts)`);
    if (urlOf(module) === undefined) return refused(`the node's configuration does not say where the upload port of ${module} opens (updates.upload_urls)`);
    const { part: told, firmware, identifiedAt } = (system().read(commands.moduleAddress(module))?.context ?? {}) as Partial<ModuleContext>;
    // What another part has said in this place is nothing of this one.
    const isIts = told?.toLowerCase() === part.toLowerCase();
    return {
      kind: "fits",
      part: isIts ? told : part,
      firmware: isIts ? (firmware ?? null) : null,
      reportedAt: isIts ? (identifiedAt ?? null) : null,
      windowMs: update.how.windowMs,
    };
  }

  async function keep({ sha256, bytes }: ImageWanted, signal: AbortSignal): Promise<ImageKept> {
    if (ports === undefined) return { kind: "refused", why: NOT_CONFIGURED };
    const outcome = await ports.images.keep({ sha256, bytes, fetch: ports.fetch(sha256), signal });
    switch (outcome.kind) {
      case "kept":
        return { kind: "kept" };
      case "wrong-image":
        return { kind: "refused", why: `what came is another image: ${outcome.why === "hash" ? "its hash differs" : outcome.detail}` };
      case "not-fetched":
        if (outcome.isFinal && outcome.status !== undefined && NO_SUCH_IMAGE.has(outcome.status)) return { kind: "refused", why: "the cloud has no such image for this vehicle" };
        throw new Error(`its image was not fetched: ${outcome.reason}`);
      case "no-room":
        if (outcome.needsBytes > outcome.maxBytes)
          return { kind: "refused", why: `its image has ${String(outcome.needsBytes)} bytes, and the node keeps ${String(outcome.maxBytes)} (updates.images.max_bytes)` };
        throw new Error("other images leave no room for it");
      case "disk-full":
      case "disk-failed":
        throw new Error(`its image cannot be written: ${outcome.detail}`);
      case "aborted":
        throw new Error("stopped");
    }
  }

  /** W3. */
  function progress(module: string, attempt: number): (sent: { readonly sentBytes: number; readonly bytes: number }) => void {
    let told = 0;
    return ({ sentBytes, bytes }) => {
      const percent = Math.floor((100 * sentBytes) / bytes / STEP_PERCENT) * STEP_PERCENT;
      if (percent > told && percent < 100 && system().notify(vehicle, { type: "upload.progressed", module, attempt, percent })) told = percent;
    };
  }

  return {
    "module.check": check,
    "image.keep": (wanted, { signal }) => keep(wanted, signal),
    "module.trigger": trigger,
    "module.await": async ({ module, withinMs }, { signal }) => {
      const url = urlOf(module);
      if (ports === undefined || url === undefined) return { kind: "closed", why: "nothing says where its upload port opens" };
      const outcome = await ports.awaitPort(url, { withinMs, signal });
      if (outcome.kind === "aborted") throw new Error("stopped");
      if (outcome.kind === "open") return { kind: "open" };
      return { kind: "closed", why: `its upload port did not open: ${outcome.cause}` };
    },
    "module.upload": async ({ module, attempt, sha256, bytes }, { signal }): Promise<ImageUploaded> => {
      const broken = (why: string): ImageUploaded => ({ kind: "broken", why });
      const url = urlOf(module);
      const update = safety.listed(module);
      if (ports === undefined || url === undefined || update === undefined) return broken("nothing says where its upload port opens");
      const send = (): ReturnType<typeof ports.images.use<UploadOutcome>> =>
        ports.images.use(sha256, (file) => ports.upload({ url, file, signal, withinMs: update.how.windowMs, onProgress: progress(module, attempt) }));
      let used = await send();
      // It was given up for room, or its card has forgotten it.
      if (used.kind === "missing") {
        const kept = await keep({ sha256, bytes }, signal);
        if (kept.kind === "refused") return broken(kept.why);
        used = await send();
      }
      if (used.kind === "missing") return broken("its image is not kept any more");
      const outcome = used.value;
      const at = clock.now();
      log.info({ module, attempt, sha256, ...outcome }, "a module's upload has ended");
      switch (outcome.kind) {
        case "taken":
          return { kind: "taken", at };
        case "refused":
          return broken(cutTo(`its module refused the image: ${String(outcome.status)}${outcome.text === "" ? "" : ` ${outcome.text}`}`, MAX_WHY));
        case "cut":
          return broken(
            outcome.sentBytes < outcome.bytes
              ? `its upload broke off after ${String(outcome.sentBytes)} of ${String(outcome.bytes)} bytes: ${outcome.detail}`
              : `all of its image was sent, and its module did not answer: ${outcome.detail}`,
          );
        case "no-port":
          return broken(`its upload port took no connection: ${outcome.detail}`);
        case "no-image":
          return broken(`its image cannot be read: ${outcome.detail}`);
        case "aborted":
          throw new Error("stopped");
      }
    },
  };
}

type Kind = Partial<Pick<ModelModule, "type" | "hardware" | "address">>;

function isMadeFor(image: Kind, { type, hardware, address }: Kind): boolean {
  return image.type === type && image.hardware === hardware && image.address === address;
}

function kindOf({ type, hardware, address }: Kind): string {
  return madeForWords(type ?? "of no type", { hardware: hardware ?? "hardware that is not named", address });
}
