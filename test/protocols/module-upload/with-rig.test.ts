// A module's update at the edge's side and the rig's together, on the real clock: image kept by hash, trigger on the bus, port awaited, upload, other slot, version report.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { test } from "tap";
import { makeImage } from "../../../cli/rig/index.ts";
import { connectRigControl, type RigControl } from "../../../cli/rig/control-client.ts";
import { type RigListening, rigWorker } from "../../../cli/rig/rig.worker.ts";
import { httpFetch, type ImageStore, openImageStore } from "../../../protocols/image-store/index.ts";
import { awaitPort, upload, type UploadOutcome } from "../../../protocols/module-upload/index.ts";
import { createRigBus, type RigBus } from "../../../protocols/rig-bus/index.ts";
import { systemClock, systemRandom } from "../../../runtime/host/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { startWorker } from "../../../runtime/workers/index.ts";
import { socketDir } from "../rig-bus/connected-rig.ts";
import { folder } from "./small-module.ts";

type Test = Parameters<typeof socketDir>[0] & Parameters<typeof folder>[0];
const ports = { clock: systemClock, random: systemRandom, log: silentLog };
const CLOCK_FACTOR = 20;

interface Trailer {
  readonly urls: Readonly<Record<string, string>>;
  readonly control: RigControl;
  readonly firmware: string;
  readonly bus: RigBus;
  /** Resolves with the next version report of this part, as hex without the MAC. */
  readonly reported: (mac: string) => Promise<string>;
  readonly kill: () => void;
}

async function trailer(t: Test, firmware = folder(t)): Promise<Trailer> {
  const dir = socketDir(t);
  const heard: RigListening[] = [];
  const running = await startWorker(
    rigWorker,
    { rigs: [{ socketDir: dir, firmwareFolder: firmware, clockFactor: CLOCK_FACTOR, seed: 3 }] },
    { isolation: "process", into: (item) => heard.push(item) },
    ports,
  );
  t.teardown(() => {
    running.kill();
    return Promise.resolve();
  });
  const waiting = new Map<string, (version: string) => void>();
  const bus = createRigBus({ path: join(dir, "can0.sock"), mode: "normal" }, ports);
  await bus.start({
    onFrames: (batch) => {
      for (let at = 0; at < batch.count; at++) {
        if (batch.ids[at] !== 0x04) continue;
        const hex = Buffer.from(batch.data.subarray(at * 64, at * 64 + 6)).toString("hex");
        waiting.get(hex.slice(0, 6))?.(hex.slice(6));
      }
    },
    onState: () => undefined,
  });
  t.teardown(() => bus.stop());
  const control = await connectRigControl(join(dir, "control.sock"), systemClock);
  t.teardown(() => {
    control.close();
    return Promise.resolve();
  });
  return {
    urls: heard[0]?.uploadUrls ?? {},
    control,
    firmware,
    bus,
    reported: (mac) => new Promise((resolve) => waiting.set(mac, resolve)),
    kill: () => {
      running.kill();
    },
  };
}

/** A store of the edge with an image in it that came by HTTP. */
async function keptImage(t: Test, image: Uint8Array): Promise<{ readonly images: ImageStore; readonly sha256: string }> {
  const server = createServer((_request, response) => response.end(image));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`;
  const images = openImageStore({ folder: join(folder(t), "images"), maxBytes: 10_000_000 }, ports);
  const sha256 = createHash("sha256").update(image).digest("hex");
  const outcome = await images.keep({ sha256, bytes: image.byteLength, fetch: httpFetch({ url }, ports) });
  await new Promise((resolve) => server.close(resolve));
  if (outcome.kind !== "kept") throw new Error(JSON.stringify(outcome));
  return { images, sha256 };
}

async function uploaded(at: Trailer, place: string, { images, sha256 }: { readonly images: ImageStore; readonly sha256: string }): Promise<UploadOutcome> {
  const outcome = await images.use(sha256, (file) => upload({ url: at.urls[place] ?? "", file }, ports));
  if (outcome.kind === "missing") throw new Error("the image is gone");
  return outcome.value;
}

async function trigger(at: Trailer, mac: string): Promise<void> {
  const sent = await at.bus.send({ id: 0x00, data: Buffer.from(mac, "hex") }, { withinMs: 2_000 });
  if (sent.kind !== "sent") throw new Error(JSON.stringify(sent));
}

const SWITCHBACK = { type: "switchback", hardware: "esp32s3", address: 0 } as const;
const MAC = "0a1e11";

test("an upload ends in the other slot and in a version report, and its window saw one trigger", async (t) => {
  const image = makeImage({ ...SWITCHBACK, version: [1, 2, 0] }, 600_000);
  const at = await trailer(t);
  const kept = await keptImage(t, image);
  const url = at.urls["switchback-0"] ?? "";
  t.match(await awaitPort(url, { withinMs: 50 }, ports), { kind: "no-port", cause: "ECONNREFUSED" }, "no port without a trigger");
  await trigger(at, MAC);
  const port = await awaitPort(url, { withinMs: 180_000 / CLOCK_FACTOR }, ports);
  t.equal(port.kind, "open");
  t.ok(port.afterMs <= 20_000 / CLOCK_FACTOR + 2_000, `${String(port.afterMs)} ms`);
  const reported = at.reported(MAC);
  t.same(await uploaded(at, "switchback-0", kept), { kind: "taken", status: 200, text: "OK, rebooting", bytes: image.byteLength });
  t.equal(await reported, "010200");
  t.ok(readFileSync(join(at.firmware, "switchback-0/slot-1.bin")).equals(image));
  t.match(await at.control.ask({ do: "updates", module: "switchback-0" }), {
    ok: true,
    result: { triggers: 1, outsideWindows: 0, running: 1, windows: [{ triggers: 1, ended: "rebooted", uploads: [{ outcome: "taken" }] }] },
  });
  t.match(await at.control.ask({ do: "upload-urls" }), { ok: true, result: at.urls });
});

test("each fault of a module is an outcome of its own at the client", async (t) => {
  const at = await trailer(t);
  const good = await keptImage(t, makeImage({ ...SWITCHBACK, version: [1, 2, 0] }, 600_000));
  const otherChip = await keptImage(t, makeImage({ ...SWITCHBACK, hardware: "esp32", version: [1, 2, 0] }));
  const url = at.urls["switchback-0"] ?? "";
  const opened = async (): Promise<void> => {
    await trigger(at, MAC);
    t.match(await awaitPort(url, { withinMs: 5_000 }, ports), { kind: "open" });
  };
  await at.control.ask({ do: "port-opens", module: "switchback-0", never: true });
  await trigger(at, MAC);
  t.match(await awaitPort(url, { withinMs: 20_000 / CLOCK_FACTOR + 100 }, ports), { kind: "no-port" });
  await at.control.ask({ do: "port-opens", module: "switchback-0", afterSeconds: 3 });

  await opened();
  t.match(await uploaded(at, "switchback-0", otherChip), { kind: "refused", status: 500, text: "it is built for esp32, this is esp32s3" });
  await at.control.ask({ do: "upload-ends", module: "switchback-0", how: "cut" });
  t.match(await uploaded(at, "switchback-0", good), { kind: "cut", why: "closed" });
  await at.control.ask({ do: "upload-ends", module: "switchback-0", how: "brown-out" });
  const old = at.reported(MAC);
  t.match(await uploaded(at, "switchback-0", good), { kind: "cut", why: "closed" });
  t.equal(await old, "010100", "half a slot does not boot");

  await at.control.ask({ do: "wrong-version", module: "switchback-0" });
  await opened();
  const lie = at.reported(MAC);
  t.match(await uploaded(at, "switchback-0", good), { kind: "taken" });
  t.equal(await lie, "010100", "200, and the old version");
});

test("a rig that is killed in mid upload has the old image in its chosen slot", async (t) => {
  const at = await trailer(t);
  const kept = await keptImage(t, makeImage({ ...SWITCHBACK, version: [1, 2, 0] }, 600_000));
  await at.control.ask({ do: "slow-upload", module: "switchback-0", bytesPerSecond: 5_000 });
  await trigger(at, MAC);
  t.match(await awaitPort(at.urls["switchback-0"] ?? "", { withinMs: 5_000 }, ports), { kind: "open" });
  const uploading = uploaded(at, "switchback-0", kept);
  const received = async (): Promise<number> => {
    const answer = await at.control.ask({ do: "updates", module: "switchback-0" });
    return answer.ok ? ((answer.result as { windows: { uploads: { receivedBytes: number }[] }[] }).windows[0]?.uploads[0]?.receivedBytes ?? 0) : 0;
  };
  while ((await received()) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  at.kill();
  t.match(await uploading, { kind: "cut", why: "closed" });
  const again = await trailer(t, at.firmware);
  t.same(again.urls, at.urls, "its ports are where they were");
  t.match(await again.control.ask({ do: "updates", module: "switchback-0" }), { result: { chosen: 0, slots: [{ kind: "sound" }, { kind: "unsound" }] } });
});
