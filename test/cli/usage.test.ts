// What the command line says to whoever types: help, suggestions, exit codes, JSON.

import { test } from "tap";
import { droverVersion } from "../../runtime/index.ts";
import { drover } from "./captured.ts";

test("the version is that of the package, also as JSON", async (t) => {
  t.same(await drover(["--version"]), { code: 0, out: `${droverVersion()}\n`, err: "" });
  t.match(JSON.parse((await drover(["--version", "--json"])).out), { name: "drover", version: droverVersion() });
});

test("without a verb the help goes to standard error and the exit code is 2", async (t) => {
  const { code, out, err } = await drover([]);
  t.equal(code, 2);
  t.equal(out, "");
  t.match(err, /Examples:[\s\S]*Usage: drover/);
});

/** The names below `Commands:` of a help text. */
function commandsIn(help: string): readonly string[] {
  const [, list = ""] = /\nCommands:\n((?: {2}.*\n)+)/.exec(help) ?? [];
  return [...list.matchAll(/^ {2}([a-z][\w-]*)/gm)].map(([, name = ""]) => name);
}

test("every command's --help shows examples before the reference, on standard output, with exit code 0", async (t) => {
  // Grows while it is walked: each help names the commands below it.
  const verbs: string[][] = [[]];
  for (const verb of verbs) {
    const { code, out, err } = await drover([...verb, "--help"]);
    t.equal(code, 0, verb.join(" "));
    t.equal(err, "", verb.join(" "));
    t.match(out, /^Examples:\n {2}\S.*\n[\s\S]*\nUsage: /, verb.join(" "));
    const below = commandsIn(out);
    for (const name of below) verbs.push([...verb, name]);
    const isShown = below.some((name) => out.includes(`\n  ${["drover", ...verb, name].join(" ")}`));
    if (below.length > 0) t.ok(isShown, `${verb.join(" ")}: an example is of a command below it`);
    t.match(out, /--json/, `${verb.join(" ")} says that it knows --json`);
  }
  const walked = verbs.map((verb) => verb.join(" "));
  for (const known of [
    "demo",
    "start edge",
    "start cloud",
    "actors",
    "actors ask",
    "tree",
    "nodes ls",
    "dead-letters ls",
    "vehicle check",
    "can decode",
    "can convert",
    "enroll",
    "doctor",
  ])
    t.ok(walked.includes(known), `${known} was walked to`);
});

test("wrong usage ends with exit code 2 and a suggestion", async (t) => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [["actrs", "ls"], /Did you mean actors\?/],
    [["actors", "lst"], /Did you mean ls\?/],
    [["actors", "ls", "--knd", "vehicle"], /Did you mean --kind\?/],
    [["actors", "get"], /missing required argument 'address'/],
    [["can", "decode", "--log", "x.log"], /--dbc/],
    [["can", "convert", "--to", "candump"], /--log/],
    [["can", "convert", "--log", "x", "--to", "tape"], /Allowed choices are candump/],
    [["can", "decode", "--dbc", "x", "--log", "y", "--match", "fuzzy"], /Allowed choices are exact, j1939/],
    [["actors", "ask", "a/b/c", "x", "--timeout", "soon"], /Expected a time such as 500ms/],
    [["actors", "history", "a/b/c", "--limit", "0"], /whole number from 1/],
    [["tree", "surplus"], /too many arguments/],
  ];
  for (const [argv, said] of cases) {
    const { code, out, err } = await drover(argv);
    t.equal(code, 2, argv.join(" "));
    t.equal(out, "", `${argv.join(" ")}: nothing on standard output`);
    t.match(err, said, argv.join(" "));
    const json = await drover([...argv, "--json"]);
    t.equal(json.code, 2, `${argv.join(" ")} --json`);
    t.equal(json.out, "", `${argv.join(" ")} --json`);
    t.equal(json.err.trimEnd().split("\n").length, 1, `${argv.join(" ")} --json: one line`);
    const { error } = JSON.parse(json.err) as { readonly error: { readonly detail: string; readonly advice: string } };
    t.match(error, { code: "usage", title: String, detail: String, advice: String, exit: 2 });
    t.notMatch(error.detail, /^error:/, argv.join(" "));
    t.match(`${error.detail} ${error.advice}`, said, `${argv.join(" ")} --json`);
  }
});

test("with --json a command that is missing is one object too; after -- it is a word like any other", async (t) => {
  for (const argv of [["--json"], ["actors", "--json"]]) {
    const { code, out, err } = await drover(argv);
    t.equal(code, 2);
    t.equal(out, "");
    t.match(JSON.parse(err), { error: { code: "usage", detail: "no command is given", exit: 2 } }, argv.join(" "));
  }
  t.match(await drover(["actrs", "--", "--json"]), { code: 2, err: /^error: unknown command 'actrs'/ });
});

test("a failure is words on standard error, and with --json one object with code, title, detail, advice and exit", async (t) => {
  const plain = await drover(["vehicle", "check", "no-such-file.yaml"]);
  t.equal(plain.code, 4);
  t.equal(plain.out, "");
  t.match(plain.err, /^error: A file cannot be read\.\n {2}cannot open no-such-file\.yaml.*\n {2}→ /);
  const json = await drover(["vehicle", "check", "no-such-file.yaml", "--json"]);
  t.equal(json.code, 4);
  t.match(JSON.parse(json.err), { error: { code: "DROVER_FILE_UNREADABLE", title: String, detail: String, advice: String, exit: 4 } });
});

test("--json may stand before the verb too", async (t) => {
  t.match(JSON.parse((await drover(["--json", "vehicle", "check", "no-such-file.yaml"])).err), { error: { exit: 4 } });
  const decoded = await drover(["can", "decode", "--dbc", "no-such-file.dbc", "--log", "no-such-file.log", "--json"]);
  t.equal(decoded.code, 4);
  t.match(JSON.parse(decoded.err), { error: { exit: 4, detail: /no-such-file\.dbc/ } });
});
