// `drover can generate` as a user meets it: the file it writes, the words it says, the code it ends with.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { drover } from "../captured.ts";

const DBC = 'BO_ 1 M: 8 A\n SG_ Speed : 0|8@1+ (0.5,0) [0|100] "km/h" A\nCM_ SG_ 1 Speed "over ground";\n';

test("a module with the types of the messages is written, and said", async (t) => {
  const folder = t.testdir({ "m.dbc": DBC });
  const out = join(folder, "signals.ts");
  t.match(await drover(["can", "generate", "--dbc", join(folder, "m.dbc"), "--out", out]), { code: 0, out: "", err: /signals\.ts: 1 messages of .*m\.dbc\n$/ });
  const text = readFileSync(out, "utf8");
  t.ok(text.includes("/** in km/h; 0 to 100. over ground */\n  readonly Speed: number | undefined;"), text);
  t.ok(text.includes("export function decodeM("));
  const { code, out: json } = await drover(["can", "generate", "--dbc", join(folder, "m.dbc"), "--out", out, "--json"]);
  t.equal(code, 0);
  t.strictSame(JSON.parse(json), { file: out, messages: 1, errors: 0, leftOut: [] });
  t.equal((await drover(["can", "generate", "--dbc", "-"], { input: DBC })).out.split("\n").slice(1).join("\n"), text.split("\n").slice(1).join("\n"));
});

test("what cannot be used writes nothing: a wrong database ends with 3, one that is not there with 4, a folder that is not there with 1", async (t) => {
  const folder = t.testdir({ "m.dbc": DBC, "odd.dbc": `${DBC}BO_ two X: 8 A\n`, "not.dbc": "<xml/>" });
  const out = join(folder, "signals.ts");
  t.match(await drover(["can", "generate", "--dbc", join(folder, "not.dbc"), "--out", out]), { code: 3, err: /not\.dbc:1:1/ });
  t.match(await drover(["can", "generate", "--dbc", join(folder, "odd.dbc"), "--strict", "--out", out]), { code: 3, err: /odd\.dbc:4:5/ });
  t.match(await drover(["can", "generate", "--dbc", join(folder, "none.dbc"), "--out", out]), { code: 4 });
  t.notOk(existsSync(out));
  t.match(await drover(["can", "generate", "--dbc", join(folder, "odd.dbc"), "--out", out]), { code: 0, err: /which has 1 errors/ });
  t.match(await drover(["can", "generate", "--dbc", join(folder, "m.dbc"), "--out", join(folder, "none", "s.ts")]), { code: 1, err: /could not be written/ });
  t.match(await drover(["can", "generate"]), { code: 2 });
});
