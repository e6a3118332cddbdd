// `drover can check` as a user meets it: what it prints, for people and for programs, and the code it ends with.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { needs } from "../../needs.ts";
import { canData, demoData } from "../../protocols/can/decoded-files.ts";
import { drover } from "../captured.ts";

const GOOD = 'BO_ 1 M: 8 A\n SG_ S : 0|8@1+ (1,0) [0|0] "" A\nBO_ 2 N: 8 A\n SG_ S : 0|8@1+ (1,0) [0|0] "" A\n SG_ T : 8|8@1+ (1,0) [0|0] "" A\n';
const ODD = `${GOOD} SG_ U : 8|8@1+ (1,0) [0|0] "" A\nVAL_ 1 S 0 "off"\nBO_ two N: 8 A\n`;

interface Report {
  readonly usable: boolean;
  readonly messages: number;
  readonly signals: number;
  readonly diagnostics: readonly { readonly severity: string; readonly line: number; readonly column: number; readonly code: string; readonly message: string }[];
}

test("K1 findings have their place and code, a summary follows; K2 a file that can be used ends with 0", async (t) => {
  const folder = t.testdir({ "odd.dbc": ODD, "good.dbc": GOOD });
  const odd = join(folder, "odd.dbc");
  t.strictSame(await drover(["can", "check", odd]), {
    code: 0,
    out:
      `${odd}:6:2: warning: signals "T" and "U" of message "N" share bits [shared-bits]\n` +
      `${odd}:8:1: warning: missing \`;\` at the end of VAL_ [semicolon-missing]\n` +
      `${odd}:8:5: error: expected the message's id, found "two" [syntax]\n` +
      `${odd}: usable: 2 messages, 4 signals; 1 error, 2 warnings\n`,
    err: "",
  });
  t.match(await drover(["can", "check", join(folder, "good.dbc")]), { code: 0, out: /^\S+good\.dbc: usable: 2 messages, 3 signals; 0 errors, 0 warnings\n$/ });
});

test("K2 a file that cannot be used ends with 3: strict at its first error, otherwise where nothing of it can be read", async (t) => {
  const folder = t.testdir({ "odd.dbc": ODD, "not.dbc": "<xml/>", "empty.dbc": "", "good.dbc": GOOD });
  t.match(await drover(["can", "check", "--strict", join(folder, "odd.dbc")]), { code: 3, out: /odd\.dbc: not usable: 2 messages, 4 signals; 2 errors, 1 warning\n$/ });
  t.match(await drover(["can", "check", join(folder, "not.dbc")]), { code: 3, out: /not\.dbc:1:1: error: .*not\.dbc: not usable: 0 messages/s });
  t.match(await drover(["can", "check", join(folder, "empty.dbc")]), { code: 3, out: /empty\.dbc:1:1: error: no message .* \[no-message\]\n/ });
  t.match(await drover(["can", "check", "--strict", join(folder, "good.dbc")]), { code: 0 });
  t.match(await drover(["can", "check", join(folder, "good.dbc"), join(folder, "empty.dbc")]), { code: 3, out: /good\.dbc: usable.*empty\.dbc: not usable/s });
  t.match(await drover(["can", "check", join(folder, "none.dbc")]), { code: 4, out: "", err: /cannot open .*none\.dbc/ });
  t.match(await drover(["can", "check"]), { code: 2 });
});

test("K3 a program gets one object, of several files an array", async (t) => {
  const folder = t.testdir({ "odd.dbc": ODD, "empty.dbc": "" });
  const one = await drover(["can", "check", join(folder, "odd.dbc"), "--json"]);
  const report = JSON.parse(one.out) as Report;
  t.match(report, { usable: true, messages: 2, signals: 4 });
  t.strictSame(report.diagnostics[2], { severity: "error", line: 8, column: 5, code: "syntax", message: 'expected the message\'s id, found "two"' });
  const both = await drover(["--json", "can", "check", join(folder, "odd.dbc"), join(folder, "empty.dbc")]);
  t.equal(both.code, 3);
  t.match(JSON.parse(both.out), [
    { file: /odd/, usable: true },
    { file: /empty/, usable: false, messages: 0, signals: 0, diagnostics: [{ code: "no-message" }] },
  ]);
});

test("a dash reads standard input; names from a file move no cursor", async (t) => {
  const { code, out } = await drover(["can", "check", "-"], { input: 'BO_ 1 M: 8 A\n SG_ S\u001B[2J : 0|8@1+ (1,0) [0|0] "" A\n' });
  t.equal(code, 0);
  t.match(out, /^-:2:\d+: error: /);
  t.notOk(out.includes("\u001B"));
});

test("every database of the demo and of the large set can be used, odd ones too", needs("shared", canData !== undefined), async (t) => {
  const folders = [demoData, join(canData ?? "", "dbc"), join(canData ?? "", "malformed")];
  const files = folders.flatMap((folder) => readdirSync(folder).flatMap((file) => (file.endsWith(".dbc") ? [join(folder, file)] : [])));
  const { code, out } = await drover(["can", "check", "--json", ...files]);
  t.equal(code, 0);
  for (const { file, messages, diagnostics } of JSON.parse(out) as (Report & { file: string })[]) {
    t.ok(messages > 0 || diagnostics.some((each) => each.code === "no-message"), file);
    const lines = readFileSync(file, "latin1").split(/\r\n|\r|\n/).length;
    t.strictSame(
      diagnostics.filter(({ line, column }) => line < 1 || line > lines || column < 1),
      [],
      file,
    );
  }
});
