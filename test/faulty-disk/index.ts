// A disk that misbehaves for one child process: built from faulty-disk.c and loaded before libc. Needs a C compiler and Linux.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { needs, program } from "../needs.ts";
import { root } from "../project/checkout.ts";

const compiler = process.platform === "linux" ? program("cc", "gcc", "clang") : undefined;

/** Options of a test that uses one. */
export const needsFaultyDisk = needs("compiler", compiler !== undefined);

export interface DiskFaults {
  /** Folder whose files are on it. */
  readonly under: string;
  /** See FAULTY_DISK_FAIL. */
  readonly fail?: string;
  /** File that every change is recorded in. */
  readonly record?: string;
  /** See FAULTY_DISK_FLUSH_MS. */
  readonly flushMs?: string;
}

/** Environment of a child process whose disk is faulty. */
export function faultyDisk({ under, fail, record, flushMs }: DiskFaults): NodeJS.ProcessEnv {
  return {
    ...process.env,
    LD_PRELOAD: library(),
    FAULTY_DISK_UNDER: under,
    ...(fail === undefined ? {} : { FAULTY_DISK_FAIL: fail }),
    ...(record === undefined ? {} : { FAULTY_DISK_RECORD: record }),
    ...(flushMs === undefined ? {} : { FAULTY_DISK_FLUSH_MS: flushMs }),
  };
}

let built: string | undefined;

function library(): string {
  if (built !== undefined && existsSync(built)) return built;
  const path = join(mkdtempSync(join(tmpdir(), "drover-faulty-disk-")), "faulty-disk.so");
  const { status, stderr } = spawnSync(compiler ?? "cc", ["-shared", "-fPIC", "-O1", "-o", path, join(root, "test/faulty-disk/faulty-disk.c"), "-ldl", "-lpthread"], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`the faulty disk could not be built: ${stderr}`);
  return (built = path);
}
