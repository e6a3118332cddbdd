// Images of modules on the cloud's disk, by their sha256: what was uploaded, for which module it is, and by whom.
//
// I1. A file has its final name only when it is whole: hashed and counted while it is written, flushed, then renamed beside its description. What a kill leaves behind is removed at the next start.
// I2. Nothing is held in memory but what is between two writes. An image and all of them together have bounds by configuration, and so many come at once.
// I3. One sha256 is one image for one (module type, hardware, address, version): another description of the same bytes is refused.
// I4. Whoever brings an image again heals it: what came was hashed, what stands on the disk was not looked at since.
// I5. Names are given and taken one after the other.

import { createHash, randomBytes } from "node:crypto";
import { createReadStream, type ReadStream } from "node:fs";
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { Clock, Log } from "../../runtime/ports/index.ts";

export interface ImageFor {
  /** Module type, e.g. `trailcurrent/torrent`. */
  readonly module: string;
  readonly hardware: string;
  readonly address: number | null;
  readonly version: string;
}

export interface KeptImage extends ImageFor {
  readonly sha256: string;
  readonly bytes: number;
  /** Wall ms. */
  readonly at: number;
  readonly by: string;
}

export interface ImageLimits {
  readonly maxBytes: number;
  readonly maxTotalBytes: number;
}

export interface Upload {
  readonly body: Readable;
  readonly image: ImageFor;
  /** As its sender announces it. */
  readonly sha256: string | undefined;
  readonly bytes: number | undefined;
  readonly by: string;
}

export type Uploaded =
  | { readonly kind: "kept"; readonly image: KeptImage; readonly isNew: boolean }
  | { readonly kind: "too-large" }
  | { readonly kind: "differs"; readonly sha256: string; readonly bytes: number }
  | { readonly kind: "exists"; readonly image: KeptImage }
  | { readonly kind: "no-room"; readonly reason: string }
  /** Its sender ended before the image did, or said nothing for too long. */
  | { readonly kind: "cut"; readonly bytes: number }
  | { readonly kind: "busy" };

export interface ImageStore {
  /** Reads what is there, and removes what is not whole (I1). */
  open(): Promise<void>;
  keep(upload: Upload): Promise<Uploaded>;
  get(sha256: string): KeptImage | undefined;
  /** By module type, version and address. */
  list(): readonly KeptImage[];
  /** @param to the last byte, included */
  read(sha256: string, from: number, to: number): ReadStream;
  remove(sha256: string): Promise<void>;
}

const UPLOADS_AT_ONCE = 4;
const MOST_IMAGES = 10_000;
/** Of an upload, ms. */
const QUIET_MS = 30_000;
const SHA256 = /^[0-9a-f]{64}$/;
const COMING = ".part";

export function imageStore(folder: string, limits: ImageLimits, { clock, log }: { readonly clock: Clock; readonly log: Log }): ImageStore {
  const images = new Map<string, KeptImage>();
  /** I5. */
  let last: Promise<unknown> = Promise.resolve();
  let uploads = 0;
  /** Of those that are coming. */
  let comingBytes = 0;

  const dataOf = (sha256: string): string => join(folder, `${sha256}.bin`);
  const aboutOf = (sha256: string): string => join(folder, `${sha256}.json`);
  const heldBytes = (): number => [...images.values()].reduce((sum, { bytes }) => sum + bytes, comingBytes);

  async function openFolder(): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    images.clear();
    const names = await readdir(folder);
    for (const name of names.filter((each) => each.endsWith(".json"))) {
      const image = await described(join(folder, name), name.slice(0, -".json".length));
      if (image !== undefined) images.set(image.sha256, image);
    }
    for (const name of names) {
      const [sha256, end] = [name.slice(0, 64), name.slice(64)];
      const isWhole = images.has(sha256) && (end === ".bin" || end === ".json");
      const isOurs = end === ".bin" || end === ".json" || name.endsWith(COMING);
      if (isWhole || !isOurs) continue;
      log.warn({ file: name }, "what was left of an image is removed");
      await rm(join(folder, name), { force: true });
    }
  }

  async function described(path: string, sha256: string): Promise<KeptImage | undefined> {
    try {
      const image = JSON.parse(await readFile(path, "utf8")) as KeptImage;
      const { size } = await stat(dataOf(sha256));
      return SHA256.test(sha256) && image.sha256 === sha256 && image.bytes === size ? image : undefined;
    } catch (cause) {
      log.warn({ err: cause, image: sha256 }, "an image cannot be read");
      return undefined;
    }
  }

  async function keep(upload: Upload): Promise<Uploaded> {
    const known = upload.sha256 === undefined ? undefined : images.get(upload.sha256);
    if (known !== undefined && !isFor(known, upload.image)) return { kind: "exists", image: known };
    if (upload.bytes !== undefined && upload.bytes > limits.maxBytes) return { kind: "too-large" };
    if (uploads >= UPLOADS_AT_ONCE) return { kind: "busy" };
    if (images.size >= MOST_IMAGES) return { kind: "no-room", reason: `there are ${String(MOST_IMAGES)} images already` };
    const coming = join(folder, `${randomBytes(8).toString("hex")}${COMING}`);
    uploads++;
    const received = { bytes: 0 };
    let file: FileHandle | undefined;
    try {
      file = await open(coming, "wx", 0o600);
      return await take(upload, file, coming, received);
    } catch (cause) {
      if (!hasNoRoom(cause)) throw cause;
      return { kind: "no-room", reason: "the disk is full" };
    } finally {
      comingBytes -= received.bytes;
      uploads--;
      await file?.close();
      await rm(coming, { force: true });
    }
  }

  async function take(upload: Upload, file: FileHandle, coming: string, received: { bytes: number }): Promise<Uploaded> {
    const hash = createHash("sha256");
    const quiet = { isOver: false };
    const guard = (): ReturnType<Clock["setTimeout"]> =>
      clock.setTimeout(
        () => {
          quiet.isOver = true;
          upload.body.destroy();
        },
        QUIET_MS,
        { unref: true },
      );
    let guarding = guard();
    try {
      for await (const chunk of upload.body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        clock.clearTimeout(guarding);
        received.bytes += chunk.byteLength;
        comingBytes += chunk.byteLength;
        if (received.bytes > limits.maxBytes) return { kind: "too-large" };
        if (heldBytes() - (images.get(upload.sha256 ?? "")?.bytes ?? 0) > limits.maxTotalBytes)
          return { kind: "no-room", reason: `all images together have at most ${String(limits.maxTotalBytes)} bytes` };
        hash.update(chunk);
        await file.writeFile(chunk);
        guarding = guard();
      }
    } catch (cause) {
      if (hasNoRoom(cause)) throw cause;
      return { kind: "cut", bytes: received.bytes };
    } finally {
      clock.clearTimeout(guarding);
    }
    if (quiet.isOver) return { kind: "cut", bytes: received.bytes };
    const { bytes } = received;
    const sha256 = hash.digest("hex");
    if ((upload.sha256 !== undefined && upload.sha256 !== sha256) || (upload.bytes !== undefined && upload.bytes !== bytes) || bytes === 0)
      return { kind: "differs", sha256, bytes };
    await file.sync();
    return await inTurn(async (): Promise<Uploaded> => {
      const known = images.get(sha256);
      // I3.
      if (known !== undefined && !isFor(known, upload.image)) return { kind: "exists", image: known };
      const { module, hardware, address, version } = upload.image;
      const image: KeptImage = known ?? { sha256, bytes, module, hardware, address, version, at: clock.now(), by: upload.by };
      await place(coming, image);
      images.set(sha256, image);
      return { kind: "kept", image, isNew: known === undefined };
    });
  }

  function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = last.then(work, work);
    last = done.catch(() => undefined);
    return done;
  }

  /** I1: the data last, since without them the description is removed. */
  async function place(coming: string, image: KeptImage): Promise<void> {
    const about = `${coming}.about${COMING}`;
    try {
      await writeFile(about, `${JSON.stringify(image)}\n`, { mode: 0o600, flush: true });
      await rename(about, aboutOf(image.sha256));
      await rename(coming, dataOf(image.sha256));
    } finally {
      await rm(about, { force: true });
    }
    await syncFolder();
  }

  async function syncFolder(): Promise<void> {
    const handle = await open(folder, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  return {
    open: openFolder,
    keep,
    get: (sha256) => images.get(sha256),
    list: () => [...images.values()].sort(byUse),
    read: (sha256, from, to) => createReadStream(dataOf(sha256), { start: from, end: to }),
    remove: (sha256) =>
      inTurn(async () => {
        images.delete(sha256);
        await rm(dataOf(sha256), { force: true });
        await rm(aboutOf(sha256), { force: true });
        await syncFolder();
      }),
  };
}

function isFor(one: ImageFor, other: ImageFor): boolean {
  return one.module === other.module && one.hardware === other.hardware && one.address === other.address && one.version === other.version;
}

function byUse(a: KeptImage, b: KeptImage): number {
  const key = ({ module, version, hardware, address, sha256 }: KeptImage): string => [module, version, hardware, String(address ?? "").padStart(3), sha256].join(" ");
  return key(a) < key(b) ? -1 : 1;
}

function hasNoRoom(cause: unknown): boolean {
  return cause instanceof Error && ["ENOSPC", "EDQUOT"].includes((cause as NodeJS.ErrnoException).code ?? "");
}
