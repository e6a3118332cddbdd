// The demo's trailers: as many as are asked for, each with files, sockets, ports and flash of its own; and what is refused.

import { readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "tap";
import { checkVehicle } from "../../../actors/vehicle-file/index.ts";
import { newFirmware } from "../../../cli/demo/new-firmware.ts";
import { demoTrailers, ofUpdated, refuseTooMany } from "../../../cli/demo/trailers.ts";
import { makeImage } from "../../../cli/rig/index.ts";
import type { CommandFailure } from "../../../cli/terminal/index.ts";
import { filesFromDisk } from "../../../cli/vehicle/files-from-disk.ts";
import { drover, scratch } from "../captured.ts";

const MB = 1024 * 1024;

test("T1. each trailer's file is valid, and what takes firmware in it has an upload port that no other trailer has", async (t) => {
  const data = scratch(t);
  const trailers = await demoTrailers(data, 3);
  const urls: string[] = [];
  for (const { name, vehicle, uploadUrls } of trailers) {
    const checked = checkVehicle({ file: vehicle, text: readFileSync(vehicle, "utf8") }, filesFromDisk());
    if (checked.kind !== "valid") throw new Error(JSON.stringify(checked));
    t.equal(checked.model.vehicle, `demo/vehicle/${name}`);
    t.match(checked.model.labels, { fleet: "demo" });
    t.same(Object.keys(uploadUrls).sort(), checked.model.updates.map(({ module }) => module).sort(), "all that may be updated, and no other place");
    t.same(
      checked.model.modules.flatMap((module) => (checked.model.updates.some((update) => update.module === module.name) && module.hardware === undefined ? [module.name] : [])),
      [],
      "and its hardware is named",
    );
    urls.push(...Object.values(uploadUrls));
  }
  t.same(
    trailers.map(({ name }) => name),
    ["trailer-01", "trailer-02", "trailer-03"],
  );
  t.equal(new Set(urls).size, urls.length);
  for (const own of ["socketDir", "nonVolatileFile", "firmwareFolder"] as const) t.equal(new Set(trailers.map(({ rig }) => rig[own])).size, 3, own);
  t.same(
    (await demoTrailers(data, 3)).map(({ uploadUrls }) => uploadUrls),
    trailers.map(({ uploadUrls }) => uploadUrls),
    "the next start has the same ports",
  );
  t.same(ofUpdated({ tapper: "http://127.0.0.1:1/ota", therma: "http://127.0.0.1:2/ota" }), { therma: "http://127.0.0.1:2/ota" });
});

test("T2. more trailers than free memory has room for are refused with how many it has; one never is", (t) => {
  refuseTooMany(20, 2_000 * MB);
  refuseTooMany(1, 0);
  try {
    refuseTooMany(20, 450 * MB);
    t.fail("20 do not fit");
  } catch (thrown) {
    t.match((thrown as CommandFailure).failure, {
      code: "too-many-trailers",
      detail: /--trailers 20 takes about 2000 MB, of which 450 MB are free/,
      advice: /at most 4,/,
      exit: 3,
    });
  }
  t.end();
});

test("a number of trailers that is none, or none that is possible, is told by its option", async (t) => {
  for (const wrong of ["0", "21", "1.5", "-1", "many", ""])
    t.match(await drover(["demo", `--trailers=${wrong}`], { env: { DROVER_DATA: scratch(t) } }), { code: 2, err: /--trailers.*from 1 to 20/s });
});

test("new firmware lies in the data folder; a plan that somebody has changed is left as it is", (t) => {
  const data = scratch(t);
  const plan = newFirmware(data);
  t.equal(plan, newFirmware(data));
  const text = readFileSync(plan, "utf8");
  const [, file = ""] = /file: ([\w.-]+)/.exec(text) ?? [];
  t.same(readFileSync(`${dirname(plan)}/${file}`), Buffer.from(makeImage({ type: "reservoir", hardware: "esp32s3", address: 0, version: [1, 1, 0] })));
  writeFileSync(plan, text.replace("10s", "20s"));
  newFirmware(data);
  t.match(readFileSync(plan, "utf8"), /soak: 20s/);
  t.end();
});
