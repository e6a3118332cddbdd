// `drover can encode` as a user meets it: the frame it prints, which decodes to what was typed, and what it refuses.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { drover } from "../captured.ts";

const DBC =
  'BO_ 801 Lamps: 4 A\n SG_ Left : 0|2@1+ (1,0) [0|1] "" A\n SG_ Level : 8|8@1+ (0.5,0) [0|100] "%" A\n SG_ Mode : 16|8@1- (2,1) [0|0] "" A\n SG_ Twin : 24|4@1+ (1,0) [0|0] "" A\n SG_ Twin : 28|4@1+ (1,0) [0|0] "" A\n' +
  'BO_ 2566844672 Ext: 8 A\n SG_ Big : 0|64@1+ (1,0) [0|0] "" A\nBO_ 3 Fd: 10 A\n SG_ S : 0|8@1+ (1,0) [0|0] "" A\nBO_ 4 Rate: 12 A\nBO_ 5 None: 0 A\nBO_ 6 F: 4 A\n SG_ F : 0|32@1- (1,0) [0|0] "" A\n' +
  'SIG_VALTYPE_ 6 F : 1;\nVAL_ 801 Left 0 "off" 1 "on" 3 "not available" ;\nVAL_ 801 Mode -1 "eco" 4 "spare" 5 "spare" ;\nBA_DEF_ BO_ "CANFD_BRS" ENUM "0","1";\nBA_DEF_DEF_ "CANFD_BRS" "0";\nBA_ "CANFD_BRS" BO_ 4 1;\n';

test("a frame is printed as cansend takes it: values, labels, whole numbers beyond 2^53, CAN FD", async (t) => {
  const dbc = join(t.testdir({ "l.dbc": DBC }), "l.dbc");
  for (const [typed, frame] of [
    ["Lamps", "321#00000000"],
    ["Lamps Left=on Level=40", "321#01500000"],
    ["Lamps Left=1 Level=0x28 Mode=eco", "321#0150FF00"],
    ["Lamps Level=12.5 Mode=-1e0 --padding 1", "321#FF19FFFF"],
    ["Lamps --raw Level=0xFF Left=2", "321#02FF0000"],
    ["Ext Big=18446744073709551615", "18FEF100#FFFFFFFFFFFFFFFF"],
    ["Ext Big=9007199254740993", "18FEF100#0100000000002000"],
    ["Fd S=7", "003##0070000000000000000000000"],
    ["Rate", "004##1000000000000000000000000"],
    ["None", "005#"],
    ["F F=NaN", "006#0000C07F"],
  ] as const)
    t.strictSame(await drover(["can", "encode", "--dbc", dbc, ...typed.split(" ")]), { code: 0, out: `${frame}\n`, err: "" }, typed);
  t.equal((await drover(["can", "encode", "--dbc", dbc, "Lamps", "Left=not available"])).out, "321#03000000\n");
  t.strictSame(JSON.parse((await drover(["can", "encode", "--dbc", dbc, "Lamps", "Left=on", "--json"])).out), {
    frame: "321#01000000",
    message: "Lamps",
    id: 801,
    extended: false,
    fd: false,
    data: "01000000",
  });
});

test("what was typed is what decode gives back", async (t) => {
  const folder = t.testdir({ "l.dbc": DBC });
  const { out: frame } = await drover(["can", "encode", "--dbc", join(folder, "l.dbc"), "Lamps", "Left=on", "Level=99.5", "Mode=-9"]);
  writeFileSync(join(folder, "frame.log"), `(1.0) can0 ${frame}`);
  const { out } = await drover(["can", "decode", "--dbc", join(folder, "l.dbc"), "--log", join(folder, "frame.log")]);
  t.strictSame((JSON.parse(out) as { s: unknown }).s, { Left: [1, 1, "on"], Level: [199, 99.5], Mode: [-5, -9] });
});

test("whatever does not fit is refused with 3, all of it at once, and nothing is printed", async (t) => {
  const dbc = join(t.testdir({ "l.dbc": DBC }), "l.dbc");
  const refused = async (...typed: readonly string[]): Promise<string> => {
    const { code, out, err } = await drover(["can", "encode", "--dbc", dbc, ...typed]);
    t.strictSame([code, out], [3, ""], typed.join(" "));
    return err;
  };
  t.match(
    await refused("Lamps", "Left=maybe", "Level=110", "Nope=1"),
    /Left: it has no label "maybe", but "off", "on", "not available"\n.*Level: 110 lies outside of 0 to 100\n.*Nope: .*no such signal/s,
  );
  t.match(await refused("Lamps", "Mode=spare"), /Mode: the label "spare" stands for 4, 5; give the number/);
  t.match(await refused("Lamps", "Level=full"), /Level: "full" is no number, and it has no labels/);
  t.match(await refused("Lamps", "Twin=1"), /Twin: .*several signals of this name/);
  t.match(await refused("Lamps", "Level=1e999"), /Level/);
  t.match(await refused("Ext", "Big=18446744073709551616"), /does not fit 64 unsigned bits/);
});

test("a message that is not there ends with 4 and tells names like it, a wrong pair with 2", async (t) => {
  const dbc = join(t.testdir({ "l.dbc": DBC }), "l.dbc");
  t.match(await drover(["can", "encode", "--dbc", dbc, "lamp"]), { code: 4, err: /no message "lamp".*6 messages, among them Lamps/s });
  t.match(await drover(["can", "encode", "--dbc", dbc, "Lamps", "Left"]), { code: 2, err: /"Left" is no signal=value/ });
  t.match(await drover(["can", "encode", "--dbc", dbc, "Lamps", "Left=1", "Left=0"]), { code: 2, err: /Left is given twice/ });
  t.match(await drover(["can", "encode", "--dbc", dbc, "Lamps", "--padding", "2"]), { code: 2 });
  t.match(await drover(["can", "encode", "--dbc", `${dbc}x`, "Lamps"]), { code: 4 });
});
