import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "tap";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { form } from "../../forms.ts";
import { openStore } from "./_stored.ts";

const child = fileURLToPath(new URL(`./_committing-child${import.meta.url.slice(-3)}`, import.meta.url));

test("S3. after kill -9 in the middle of a stream of commits every acknowledged one is there, and every history is whole", async (t) => {
  const path = join(t.testdir(), "journal.db");
  const random = new SeededRandom(11);
  const acknowledged = new Map<string, number>();
  for (let round = 0; round < form(3, 6); round++) {
    const running = spawn(process.execPath, [child, path], { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    let lines = 0;
    const killAfter = 1 + (random.uint32() % 600);
    running.stdout.setEncoding("utf8");
    running.stdout.on("data", (chunk: string) => {
      output += chunk;
      lines += chunk.split("\n").length - 1;
      if (lines > killAfter) running.kill("SIGKILL");
    });
    await once(running, "close");
    for (const line of output.slice(0, output.lastIndexOf("\n")).split("\n")) {
      const [entity = "", revision] = line.split(" ");
      if (entity !== "ready") acknowledged.set(entity, Math.max(acknowledged.get(entity) ?? 0, Number(revision)));
    }

    const store = await openStore(t, path);
    for (const [entity, revision] of acknowledged) {
      const loaded = await store.load(entity);
      if (loaded === undefined || loaded.revision < revision || loaded.revision > revision + 2)
        t.fail(`${entity}: acknowledged ${String(revision)}, stored ${String(loaded?.revision)}`);
      const last = loaded?.records.at(-1);
      const text = new TextDecoder().decode(last?.record ?? loaded?.snapshot?.state);
      t.match(text, `${entity} ${String(loaded?.revision)} `, `${entity} ends with its newest revision`);
      acknowledged.set(entity, loaded?.revision ?? 0);
    }
    await store.close();
  }
  t.equal(acknowledged.size, 8);
});

const exitingChild = fileURLToPath(new URL(`./_exiting-child${import.meta.url.slice(-3)}`, import.meta.url));

test("a process may exit in the middle of a commit without being aborted", async (t) => {
  for (const delayMs of [30, 45, 60]) {
    const running = spawn(process.execPath, [exitingChild, join(t.testdir(), `journal-${String(delayMs)}.db`), String(delayMs)], { stdio: "ignore" });
    t.strictSame(await once(running, "exit"), [7, null]);
  }
});
