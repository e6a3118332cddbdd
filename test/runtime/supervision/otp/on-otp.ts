// Plays scenes on OTP's own supervisor, all at once and in real time: about ten seconds.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Scene, SceneChild, SceneSupervisor, Step } from "./scene.ts";

const PROGRAM = fileURLToPath(new URL("./supervise.escript", import.meta.url));
const LIMIT_MS = 120_000;

/** What happened in each scene, by its name. @param escript path of the program that runs Erlang scripts */
export async function playOnOtp(escript: string, scenes: readonly Scene[]): Promise<ReadonlyMap<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), "drover-otp-"));
  try {
    const file = join(folder, "scenes.terms");
    writeFileSync(file, `${scenes.map(({ name, root, steps }) => `{"${name}", ${supervisorTerm(root)}, [${steps.map(stepTerm).join(", ")}]}.`).join("\n")}\n`);
    const { stdout } = await promisify(execFile)(escript, [PROGRAM, file], { timeout: LIMIT_MS, maxBuffer: 16 << 20, env: { ...process.env, ERL_CRASH_DUMP_SECONDS: "0" } });
    const lines = stdout.split("\n").filter((line) => line !== "");
    return new Map(lines.map((line) => [line.slice(0, line.indexOf("\t")), line.slice(line.indexOf("\t") + 1)]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function supervisorTerm({ id, restart, significant, strategy, intensity, periodSeconds, autoShutdown, shutdownMs, children }: SceneSupervisor): string {
  const flags = `{${[atom(strategy), intensity, periodSeconds, atom(autoShutdown)].join(", ")}}`;
  return `{${id}, ${restart}, ${String(significant)}, ${shutdownMs === undefined ? "infinity" : String(shutdownMs)}, ${flags}, [${children.map(childTerm).join(", ")}]}`;
}

function childTerm(child: SceneChild | SceneSupervisor): string {
  return "children" in child ? supervisorTerm(child) : `{${[child.id, child.restart, child.significant, child.shutdownMs === 0 ? "brutal_kill" : child.shutdownMs].join(", ")}}`;
}

function stepTerm(step: Step): string {
  const words = step.map((word) => (typeof word === "number" ? String(word) : `'${word}'`));
  return words.length === 1 ? words.join("") : `{${words.join(", ")}}`;
}

/** OTP's words have underscores where ours have hyphens. */
function atom(word: string): string {
  return word.replaceAll("-", "_");
}
