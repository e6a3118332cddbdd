// The port: loopback by default, named when it is taken, given back when the node stops.

import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { test } from "tap";
import { listenHttp } from "../../../protocols/http/index.ts";
import { parseAddress } from "../../../runtime/index.ts";
import { type Log, silentLog } from "../../../runtime/ports/index.ts";
import { SeededRandom, settle } from "../../../runtime/simulation/index.ts";
import { AT, COUNTER, serving, servingCounter, type Serving } from "./serving.ts";

const facade = (served: Serving) => ({ ...served, log: silentLog, random: new SeededRandom(3), trees: () => [], nodes: () => [], ready: () => ({ ok: true, reasons: [] }) });

test("S10. it listens on loopback unless told otherwise", async (t) => {
  const served = await serving(t);
  const server = await listenHttp({ facade: facade(served), port: 0 });
  t.equal(server.url, `http://127.0.0.1:${String(server.port)}`);
  t.equal((await fetch(`${server.url}/health/live`)).status, 200);
  await server.close();
  await t.rejects(fetch(`${server.url}/health/live`));
});

test("a port in use is named with the key that changes it, and the next start goes through", async (t) => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  const { port } = taken.address() as AddressInfo;
  const served = await serving(t);
  await t.rejects(listenHttp({ facade: facade(served), port, portKey: "DROVER_HTTP_PORT / http.port" }), {
    code: "DROVER_PORT_IN_USE",
    message: `port ${String(port)} on 127.0.0.1 is in use by another program; DROVER_HTTP_PORT / http.port changes it`,
  });
  await new Promise((resolve) => taken.close(resolve));
  const server = await listenHttp({ facade: facade(served), port });
  t.equal(server.port, port);
  await server.close();
});

test("a host or port that cannot be had at all is an error of the configuration", async (t) => {
  const served = await serving(t);
  await t.rejects(listenHttp({ facade: facade(served), host: "203.0.113.7", port: 0 }), { code: "DROVER_CONFIG_INVALID", message: /203\.0\.113\.7/ });
  await t.rejects(listenHttp({ facade: facade(served), port: 70_000 }), { code: "DROVER_CONFIG_INVALID", message: /70000/ });
});

test("a node's own routes are served beside the façade's and stand in its description", async (t) => {
  const served = await serving(t);
  const server = await listenHttp({
    facade: facade(served),
    port: 0,
    routes: (app) => {
      app.register(async (own) => {
        own.get("/v1/own", { config: { role: "viewer" }, schema: { summary: "Own" } }, () => ({ own: true }));
      });
    },
  });
  const headers = { authorization: `Bearer ${served.texts.viewer}` };
  t.same(await (await fetch(`${server.url}/v1/own`, { headers })).json(), { own: true });
  t.match(await (await fetch(`${server.url}/v1/openapi.json`, { headers })).json(), { paths: { "/v1/own": { get: { summary: "Own" } } } });
  await server.close();
});

test("while the node stops, requests under way are answered", async (t) => {
  const served = await servingCounter(t);
  const server = await listenHttp({ facade: facade(served), port: 0 });
  const headers = { authorization: `Bearer ${served.texts.operator}`, "content-type": "application/json", "idempotency-key": "slow" };
  const asking = fetch(`${server.url}${AT}/ask?timeoutMs=60000`, { method: "POST", headers, body: '{"type":"count.slow"}' });
  while (served.system.taken(parseAddress(COUNTER), "slow") === undefined) await settle();
  let isClosed = false;
  const closing = server.close().then(() => {
    isClosed = true;
  });
  await settle();
  t.notOk(isClosed, "it waits for the answer");
  await served.system.tell(COUNTER, { type: "count.release" });
  t.same(await (await asking).json(), { outcome: "replied", id: "slow", reply: { total: 0 } });
  await closing;
});

test("a request that does not end, and a connection that never asks, are cut 2 s after the node began to stop", async (t) => {
  const served = await servingCounter(t);
  const server = await listenHttp({ facade: facade(served), port: 0 });
  const headers = { authorization: `Bearer ${served.texts.operator}`, "content-type": "application/json", "idempotency-key": "slow" };
  const asked = t.rejects(fetch(`${server.url}${AT}/ask?timeoutMs=60000`, { method: "POST", headers, body: '{"type":"count.slow"}' }));
  const silent = connect(server.port, "127.0.0.1");
  const heard = textOf(silent);
  await new Promise((resolve) => silent.once("connect", resolve));
  while (served.system.taken(parseAddress(COUNTER), "slow") === undefined) await settle();
  const closing = server.close();
  await served.clock.advance(2_000);
  await asked;
  t.equal(await heard, "");
  await closing;
});

test("what comes on an open connection while the node stops is not taken; what was under way there is answered", async (t) => {
  const served = await servingCounter(t);
  const server = await listenHttp({ facade: facade(served), port: 0 });
  const body = '{"type":"count.slow"}';
  const ask = `POST ${AT}/ask?timeoutMs=60000 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${served.texts.operator}\r\ncontent-type: application/json\r\nidempotency-key: slow\r\ncontent-length: ${String(body.length)}\r\n\r\n${body}`;
  const socket = connect(server.port, "127.0.0.1");
  const heard = textOf(socket);
  socket.write(ask);
  while (served.system.taken(parseAddress(COUNTER), "slow") === undefined) await settle();
  const closing = server.close();
  await settle();
  const late = '{"type":"count.add","by":5}';
  socket.write(
    `POST ${AT}/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${served.texts.operator}\r\ncontent-type: application/json\r\nidempotency-key: late\r\ncontent-length: ${String(late.length)}\r\n\r\n${late}`,
  );
  await settle();
  t.equal(served.system.taken(parseAddress(COUNTER), "late"), undefined);
  await served.system.tell(COUNTER, { type: "count.release" });
  t.match(await heard, /"reply":\{"total":0\}/);
  await closing;
});

/** Everything that the other side says until it closes. */
function textOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let heard = "";
    socket.on("data", (chunk) => (heard += String(chunk)));
    socket.on("error", () => {});
    socket.on("close", () => {
      resolve(heard);
    });
  });
}

test("S5. connections have a bound: what is beyond is closed and told, those that are there go on, and their places are free again", async (t) => {
  const served = await serving(t);
  const told: object[] = [];
  const log: Log = { ...silentLog, warn: (fields) => void told.push(fields), child: () => log };
  const server = await listenHttp({ facade: { ...facade(served), log, maxConnections: 3 }, port: 0 });
  const open = async (): Promise<Socket> => {
    const socket = connect(server.port, "127.0.0.1");
    await new Promise<void>((resolve) => socket.once("connect", resolve));
    return socket;
  };
  const held = [await open(), await open(), await open()];
  const beyond = await open();
  await new Promise<void>((resolve) => beyond.once("close", () => resolve()));
  t.match(told, [{ from: "127.0.0.1", atMost: 3 }]);
  const [first] = held;
  const answered = new Promise<string>((resolve) => first?.once("data", (bytes: Buffer) => resolve(bytes.toString())));
  first?.write("GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
  t.match(await answered, /^HTTP\/1\.1 200/);
  await new Promise<void>((resolve) => first?.once("close", () => resolve()));
  t.equal((await fetch(`${server.url}/health/live`)).status, 200);
  for (const socket of held) socket.destroy();
  await server.close();
});
