// A process that keeps an image and is killed in the middle, and one whose disk fails it: never half an image under its final name.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "tap";
import { httpFetch, openImageStore } from "../../../protocols/image-store/index.ts";
import { systemClock } from "../../../runtime/host/index.ts";
import { faultyDisk, needsFaultyDisk } from "../../faulty-disk/index.ts";
import { imageOf, imageSource, type ImageSource, sha256Of, storeFolder, type Teardown } from "./image-source.ts";

const program = fileURLToPath(new URL("./_keeping.js", import.meta.url));
const ports = { clock: systemClock };

function keeping(t: Teardown, folder: string, source: ImageSource, options: { readonly env?: NodeJS.ProcessEnv; readonly used?: string } = {}): ChildProcess {
  const used = options.used === undefined ? [] : [options.used];
  const child = spawn(process.execPath, [program, folder, source.url, source.sha256, String(source.image.byteLength), ...used], {
    stdio: ["ignore", "pipe", "inherit"],
    env: options.env ?? process.env,
  });
  t.teardown(() => {
    child.kill("SIGKILL");
  });
  return child;
}

async function said(child: ChildProcess): Promise<{ readonly outcome: Record<string, unknown>; readonly left: readonly unknown[] }> {
  let text = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  await new Promise((resolve) => child.once("close", resolve));
  return JSON.parse(text) as never;
}

const exited = (child: ChildProcess): Promise<unknown> => new Promise((resolve) => child.once("exit", resolve));

test("a process that is killed in mid download leaves a part, and the next one fetches only the rest", async (t) => {
  const source = await imageSource(t, imageOf(3_000_000));
  const folder = storeFolder(t);
  const part = join(folder, `${source.sha256}.part`);
  const whole = join(folder, `${source.sha256}.image`);
  let before = 0;
  for (const given of [700_000, 1_100_000, 600_000]) {
    const wanted = before + given;
    source.script.push((request, response) => {
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
      const head = { etag: source.etag, "content-length": 3_000_000 - from, "content-range": `bytes ${String(from)}-2999999/3000000` };
      response.writeHead(from === 0 ? 200 : 206, head).write(source.image.subarray(from, wanted));
    });
    const child = keeping(t, folder, source);
    const gone = exited(child);
    while (!existsSync(part) || statSync(part).size < wanted) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill("SIGKILL");
    await gone;
    t.equal(existsSync(whole), false);
    t.ok(readFileSync(part).equals(source.image.subarray(0, wanted)));
    before = wanted;
  }
  t.match(await said(keeping(t, folder, source)), { outcome: { kind: "kept", downloadedBytes: 600_000 } });
  t.ok(readFileSync(whole).equals(source.image));
  t.same(
    source.asked.map(({ range }) => range),
    [undefined, "bytes=700000-", "bytes=1800000-", "bytes=2400000-"],
  );
});

test("killed at any moment, what has the final name is whole", async (t) => {
  const source = await imageSource(t, imageOf(400_000));
  const folder = storeFolder(t);
  const whole = join(folder, `${source.sha256}.image`);
  let wasPart = 0;
  for (let round = 0; round < 12; round++) {
    source.script.length = 0;
    source.script.push((request, response) => {
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
      response.writeHead(from === 0 ? 200 : 206, { etag: source.etag, "content-length": 400_000 - from, "content-range": `bytes ${String(from)}-399999/400000` });
      let at = from;
      const timer = setInterval(() => {
        if (at >= 400_000) response.end();
        else response.write(source.image.subarray(at, (at += 20_000)));
      }, 1);
      response.on("close", () => {
        clearInterval(timer);
      });
    });
    const child = keeping(t, folder, source);
    const gone = exited(child);
    // From the moment at which it asks on, a little later each time: through download, hash, flush, rename.
    while (source.script.length > 0 && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 1));
    await new Promise((resolve) => setTimeout(resolve, round * 4));
    child.kill("SIGKILL");
    await gone;
    if (!existsSync(whole)) {
      wasPart++;
      continue;
    }
    t.ok(readFileSync(whole).equals(source.image), `round ${String(round)}`);
    break;
  }
  t.ok(wasPart > 0, "it was killed in the middle");
  t.match(await said(keeping(t, folder, source)), { outcome: { kind: "kept" } });
  t.ok(readFileSync(whole).equals(source.image));
});

test("a full disk gives up what was used longest ago, and goes on", needsFaultyDisk, async (t) => {
  const source = await imageSource(t, imageOf(300_000));
  const [old, used] = [await imageSource(t, imageOf(1_000, 3)), await imageSource(t, imageOf(1_000, 4))];
  const folder = storeFolder(t);
  const images = openImageStore({ folder, maxBytes: 10_000_000 }, ports);
  for (const each of [used, old]) await images.keep({ sha256: each.sha256, bytes: 1_000, fetch: httpFetch({ url: each.url }, ports) });
  const env = faultyDisk({ under: folder, fail: "write:.part:2:1:28" });
  const told = await said(keeping(t, folder, source, { env, used: used.sha256 }));
  t.match(told, { outcome: { kind: "used", value: { kind: "kept", downloadedBytes: 300_000 } } });
  t.same(readdirSync(folder).sort(), [`${source.sha256}.image`, `${used.sha256}.image`].sort(), "the one in use stays, although it is older");
  t.ok(readFileSync(join(folder, `${source.sha256}.image`)).equals(source.image));
});

test("a disk that stays full, or fails, is told, with nothing left behind", needsFaultyDisk, async (t) => {
  for (const [fail, kind, detail] of [
    ["write:.part:3:0:28", "disk-full", "ENOSPC"],
    ["write:.part:3:0:5", "disk-failed", "EIO"],
    ["sync:.part:1:1:5", "disk-failed", "EIO"],
  ] as const) {
    const source = await imageSource(t, imageOf(300_000));
    const folder = storeFolder(t);
    t.match(await said(keeping(t, folder, source, { env: faultyDisk({ under: folder, fail }) })), { outcome: { kind, detail }, left: [] }, fail);
    t.same(
      readdirSync(folder).filter((name) => !name.endsWith(".etag")),
      [],
    );
  }
});

test("a link where the part should be is not followed", async (t) => {
  const source = await imageSource(t, imageOf(1_000));
  const folder = storeFolder(t);
  const images = openImageStore({ folder, maxBytes: 10_000 }, ports);
  const sha256 = sha256Of(source.image);
  writeFileSync(join(folder, "elsewhere"), "mine");
  symlinkSync(join(folder, "elsewhere"), join(folder, `${sha256}.part`));
  t.match(await images.keep({ sha256, bytes: 1_000, fetch: httpFetch({ url: source.url }, ports) }), { kind: "disk-failed", detail: "ELOOP" });
  t.equal(readFileSync(join(folder, "elsewhere"), "utf8"), "mine");
});
