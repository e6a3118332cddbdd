// Commands against a real cloud node with a real vehicle behind it.

import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import tap, { test } from "tap";
import { aFleet } from "./a-fleet.ts";
import { drover, scratch } from "./captured.ts";

/** Real processes and disks, on a machine that may be busy with other tests. */
tap.setTimeout(150_000);

const VEHICLE = "demo/vehicle/trailer-01";

test("commands on the machine of a node", async (t) => {
  const { data, url } = await aFleet(t);
  const env = { DROVER_DATA: data };
  const token = readFileSync(join(data, "api-token"), "utf8").trim();

  await t.test("find its URL and its token by themselves", async (tt) => {
    const { code, out } = await drover(["actors", "ls", "--kind", "vehicle", "--json"], { env });
    tt.equal(code, 0);
    tt.match(JSON.parse(out), { items: [{ address: VEHICLE, kind: "vehicle", presence: String, revision: Number, owner: { node: "edge-trailer-01" } }], next: null });
    tt.equal((await drover(["actors", "ls", "--data", data])).code, 0, "--data names the folder too");
    tt.equal((await drover(["actors", "ls", "--url", url, "--token", token])).code, 0, "or both are given");
    tt.equal((await drover(["actors", "ls"], { env: { DROVER_URL: url, DROVER_TOKEN: token } })).code, 0, "or stand in the environment");
  });

  await t.test("list in pages what the API gives in pages", async (tt) => {
    const all = JSON.parse((await drover(["actors", "ls", "--json"], { env })).out) as { readonly items: readonly { readonly address: string }[] };
    tt.equal(all.items.length, new Set(all.items.map(({ address }) => address)).size);
    const two = JSON.parse((await drover(["actors", "ls", "--limit", "2", "--json"], { env })).out) as { readonly items: readonly unknown[]; readonly next: unknown };
    tt.equal(two.items.length, 2);
    tt.type(two.next, "string", "more would come");
    const labelled = JSON.parse((await drover(["actors", "ls", "--label", "fleet=demo", "--label", "source=none", "--json"], { env })).out) as {
      readonly items: readonly unknown[];
    };
    tt.same(labelled.items, [], "all labels must hold");
    const nobody = await drover(["actors", "ls", "--kind", "unicorn"], { env });
    tt.match(nobody, { code: 0, out: "", err: "no actor matches\n" });
  });

  await t.test("look into an actor: what it has under way, a past state, its turns run again, a message tried out", async (tt) => {
    const presence = "demo/presence/trailer-01";
    const inspected = await drover(["actors", "get", presence, "--inspect"], { env });
    tt.match(inspected, { code: 0, out: /^demo\/presence\/trailer-01\n {2}mailbox {3}0 messages[^]*in state[^]*accepts/ });
    tt.match(await drover(["actors", "get", presence, "--revision", "1"], { env }), { code: 0, out: /after revision 1, [^]*: unknown/ });
    tt.match(await drover(["actors", "get", presence, "--revision", "99999"], { env }), { code: 4, err: /are kept/ });
    const replayed = await drover(["actors", "history", presence, "--replay", "--order", "oldest-first", "--limit", "2"], { env });
    tt.match(replayed, { code: 0, out: /^revision 1, [^]*> \(start\)[^]*= accepted\nthe same as was committed\n\nrevision 2/ });
    const stepped = await drover(["actors", "history", presence, "--replay", "--order", "oldest-first", "--limit", "2"], { env, isTerminal: true, input: "\nq\n" });
    tt.match(stepped, { code: 0, out: /^revision 1, [^\n]*\n> \(start\)\n$/ }, "one step a line, until q");
    const tried = await drover(["actors", "send", presence, "presence.nonsense", "--dry-run"], { env });
    tt.equal(tried.code, 3);
    const elsewhere = await drover(["actors", "get", VEHICLE, "--inspect"], { env });
    tt.match(elsewhere, { code: 5, err: /edge-trailer-01/ });
    const { revision } = JSON.parse((await drover(["actors", "get", VEHICLE, "--json"], { env })).out) as { readonly revision: number };
    const past = await drover(["actors", "get", VEHICLE, "--revision", String(revision)], { env });
    tt.match(past, { code: 0, out: new RegExp(`after revision ${String(revision)}`) }, "the cloud's copy of its records is enough for a past state");
  });

  await t.test("show one actor, trees, nodes and dead letters, for people and as JSON", async (tt) => {
    for (const [argv, said, json] of [
      [["actors", "get", VEHICLE], /demo\/vehicle\/trailer-01\n {2}state +.*\n[^]*accepts/, { address: VEHICLE, context: Object, accepts: Array }],
      [["tree"], /cloud-1[^]*└─ api {2}running/, { items: [{ node: String, tree: { id: String, children: Array } }] }],
      [["tree", "--node", "cloud-1"], /^cloud-1/, { items: [{ node: "cloud-1" }] }],
      [["nodes", "ls"], /NODE +KIND/, { items: [{ node: "cloud-1", kind: "cloud" }] }],
    ] as const) {
      const plain = await drover(argv, { env });
      tt.equal(plain.code, 0, argv.join(" "));
      tt.match(plain.out, said, argv.join(" "));
      tt.match(JSON.parse((await drover([...argv, "--json"], { env })).out), json, argv.join(" "));
    }
    tt.match(await drover(["dead-letters", "ls"], { env }), { code: 0 });
    tt.match(JSON.parse((await drover(["dead-letters", "ls", "--json"], { env })).out), { items: Array });
    tt.match(await drover(["tree", "--node", "nobody"], { env }), { code: 4, err: /No node of this name.*\n.*cloud-1/ });
  });

  await t.test("M2. ask an actor; the same --id acts once and answers the same", async (tt) => {
    const argv = ["actors", "ask", VEHICLE, "bus.mute", "bus=can0", "reason=workshop", "--id", "mute-1"];
    const first = await drover([...argv, "--json"], { env });
    tt.equal(first.code, 0, first.err);
    tt.match(JSON.parse(first.out), { outcome: "replied", id: "mute-1", reply: { muted: ["can0"] } });
    const again = await drover(argv, { env });
    tt.match(again, { code: 0, out: '{"muted":["can0"]}\n' });
    const history = JSON.parse((await drover(["actors", "history", VEHICLE, "--limit", "1000", "--json"], { env })).out) as {
      readonly items: readonly { readonly inputs: readonly { readonly id?: string }[] }[];
    };
    tt.equal(history.items.flatMap(({ inputs }) => inputs).filter(({ id }) => id === "mute-1").length, 1, "taken once");
    t.match((await drover(["actors", "history", VEHICLE], { env })).out, /REVISION {2}AT[^]*bus\.mute +admin/);
    const other = await drover(["actors", "ask", VEHICLE, "bus.unmute", "bus=can0", "--id", "mute-1"], { env });
    tt.match(other, { code: 5, err: /Idempotency-Key was used for another message/ });
  });

  await t.test("send a message; it is done when it is taken", async (tt) => {
    const { code, out } = await drover(["actors", "send", VEHICLE, "bus.unmute", "--body", "-", "--json"], { env, input: '{"bus":"can0"}' });
    tt.equal(code, 0);
    tt.match(JSON.parse(out), { outcome: "accepted", id: String, durable: String });
  });

  await t.test("end with the exit code of what went wrong, and say what to do", async (tt) => {
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [["actors", "get", "demo/vehicle/none"], 4, /There is no actor with this address[^]*→/],
      [["actors", "get", "not an address"], 2, /The address is not well formed/],
      [["actors", "send", VEHICLE, "bus.mut", "bus=can0"], 3, /Did you mean bus\.mute\?/],
      [["actors", "send", VEHICLE, "bus.mute"], 3, /bus/],
      [["actors", "send", VEHICLE, "xstate.stop"], 3, /protocol/],
      [["actors", "ask", `${VEHICLE}/module/torrent-0`, "light.set", "output=attic", "level=1"], 5, /galley, porch, bed/],
      [["actors", "ls", "--token", "wrong"], 6, /./],
      [["actors", "get", VEHICLE, "--url", "ftp://host"], 2, /http:\/\/host:port/],
    ];
    for (const [argv, code, said] of cases) {
      const ended = await drover(argv, { env });
      tt.equal(ended.code, code, `${argv.join(" ")}: ${ended.err}`);
      tt.match(ended.err, said, argv.join(" "));
      tt.equal(ended.out, "", `${argv.join(" ")}: nothing on standard output`);
    }
    const json = await drover(["actors", "send", VEHICLE, "bus.mut", "--id", "typo-1", "--json"], { env });
    tt.match(JSON.parse(json.err), { error: { code: "invalid", id: "typo-1", accepts: Array, exit: 3 } });
  });

  await t.test("watch an actor live, until Ctrl-C or a count", async (tt) => {
    const ctrlC = new AbortController();
    let sent: Promise<unknown> | undefined;
    const ended = await drover(["actors", "watch", VEHICLE, "--json"], {
      env,
      interrupt: ctrlC.signal,
      onOut: (text) => {
        sent ??= drover(["actors", "send", VEHICLE, "bus.mute", "bus=can0"], { env });
        if (text.split("\n").length > 2) ctrlC.abort();
      },
    });
    await sent;
    tt.equal(ended.code, 130);
    const [snapshot, change] = ended.out
      .split("\n")
      .slice(0, 2)
      .map((line) => JSON.parse(line) as object);
    tt.match(snapshot, { event: "snapshot", id: String, data: { address: VEHICLE } });
    tt.match(change, { event: "change", data: { inputs: [{ type: "bus.mute", author: "admin" }] } });
    tt.match(await drover(["actors", "watch", VEHICLE, "--count", "1"], { env }), { code: 0, out: /snapshot {2}revision \d+/ });
    tt.match(await drover(["actors", "watch", "demo/vehicle/none"], { env }), { code: 4 });
  });

  await t.test("S10. a token found on this machine goes to this machine only", async (tt) => {
    const { findEndpoint } = await import("../../cli/api/index.ts");
    tt.equal(findEndpoint({ url: "http://192.0.2.1:9" }, env).token, undefined);
    tt.equal(findEndpoint({ url: "http://localhost:9" }, env).token, token);
    tt.equal(findEndpoint({ url: "http://127.0.0.1.example.org" }, env).token, undefined);
  });

  await t.test("without a token they say where it was looked for", async (tt) => {
    renameSync(join(data, "api-token"), join(data, "moved"));
    const ended = await drover(["actors", "ls"], { env });
    renameSync(join(data, "moved"), join(data, "api-token"));
    tt.equal(ended.code, 6);
    tt.match(ended.err, join(data, "api-token"));
  });
});

test("a node that is not there, that never answers, or that is no node", async (t) => {
  const data = scratch(t);
  const silent = createServer(() => undefined);
  const strange = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", () => {
      socket.end("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
    });
  });
  const portOf = (server: typeof silent): Promise<number> =>
    new Promise((resolve) => {
      server.listen(0, "127.0.0.1", () => {
        resolve((server.address() as { readonly port: number }).port);
      });
    });
  const [quiet, odd] = await Promise.all([portOf(silent), portOf(strange)]);
  t.teardown(() => {
    silent.close();
    strange.close();
  });
  t.match(await drover(["tree", "--data", data, "--url", "http://127.0.0.1:1"]), {
    code: 7,
    err: /No node answers\.\n {2}http:\/\/127\.0\.0\.1:1: .*\n {2}→ Start one with `drover demo`/,
  });
  t.match(await drover(["actors", "send", "a/b/c", "x", "--timeout", "200ms", "--id", "k", "--url", `http://127.0.0.1:${String(quiet)}`]), {
    code: 8,
    err: /--id k: that never acts twice/,
  });
  t.match(await drover(["tree", "--url", `http://127.0.0.1:${String(odd)}`]), { code: 1, err: /not JSON/ });
});

test("a file endpoint.json that is broken is passed over", async (t) => {
  const data = scratch(t);
  writeFileSync(join(data, "endpoint.json"), "{");
  const { findEndpoint } = await import("../../cli/api/index.ts");
  t.equal(findEndpoint({}, { DROVER_DATA: data, DROVER_HTTP_PORT: "9090" }).url, "http://127.0.0.1:9090");
  rmSync(join(data, "endpoint.json"));
  t.equal(findEndpoint({}, { DROVER_DATA: data }).url, "http://127.0.0.1:8080");
});
