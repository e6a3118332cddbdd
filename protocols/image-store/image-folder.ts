// The files of the store: `<sha256>.image` is whole, `<sha256>.part` is not, `<sha256>.etag` is what the part came with. Anything else in the folder is not ours and stays.
//
// A file's time of modification says when it was last used; it only goes up, also while the node's clock has not been set (K2).

import { open, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../runtime/ports/index.ts";

export interface ImageFile {
  readonly sha256: string;
  readonly isWhole: boolean;
  readonly bytes: number;
  readonly usedAt: number;
}

const NAME = /^([0-9a-f]{64})\.(image|part)$/;

export class ImageFolder {
  readonly path: string;
  readonly clock: Clock;
  #newest = 0;

  constructor(path: string, clock: Clock) {
    this.path = path;
    this.clock = clock;
  }

  image(sha256: string): string {
    return join(this.path, `${sha256}.image`);
  }

  part(sha256: string): string {
    return join(this.path, `${sha256}.part`);
  }

  etag(sha256: string): string {
    return join(this.path, `${sha256}.etag`);
  }

  /** Oldest use first. */
  async list(): Promise<readonly ImageFile[]> {
    const files: ImageFile[] = [];
    for (const name of await readdir(this.path)) {
      const [, sha256, kind] = NAME.exec(name) ?? [];
      if (sha256 === undefined) continue;
      const found = await stat(join(this.path, name)).catch(() => undefined);
      if (found?.isFile() === true) files.push({ sha256, isWhole: kind === "image", bytes: found.size, usedAt: found.mtimeMs });
    }
    files.sort((one, other) => one.usedAt - other.usedAt || (one.sha256 < other.sha256 ? -1 : 1));
    this.#newest = Math.max(this.#newest, files.at(-1)?.usedAt ?? 0);
    return files;
  }

  async touch(sha256: string): Promise<void> {
    this.#newest = Math.max(this.clock.now(), Math.floor(this.#newest) + 1);
    await utimes(this.image(sha256), this.#newest / 1_000, this.#newest / 1_000);
  }

  /** The part is whole and flushed: it takes its name, and the folder is flushed. */
  async complete(sha256: string): Promise<void> {
    await rename(this.part(sha256), this.image(sha256));
    const folder = await open(this.path, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
    await rm(this.etag(sha256), { force: true });
  }

  async removeImage(sha256: string): Promise<void> {
    await rm(this.image(sha256), { force: true });
  }

  async removePart(sha256: string): Promise<void> {
    await rm(this.part(sha256), { force: true });
    await rm(this.etag(sha256), { force: true });
  }
}
