// The port: loopback by default, named when it is taken, given back when the node stops.

import { type AddressInfo, createServer } from "node:net";
import { test } from "tap";
import { listenHttp } from "../../../protocols/http/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { SeededRandom } from "../../../runtime/simulation/index.ts";
import { serving, type Serving } from "./serving.ts";

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

test("a request on a connection that is still open while the node stops is refused as stopping, not dropped", async (t) => {
  const served = await serving(t);
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const server = await listenHttp({
    facade: facade(served),
    port: 0,
    routes: (app) => {
      app.addHook("preClose", async () => held);
    },
  });
  const closing = server.close();
  await new Promise((resolve) => setImmediate(resolve));
  const answer = await fetch(`${server.url}/health/live`).catch((error: unknown) => error);
  if (answer instanceof Response) {
    t.equal(answer.status, 503);
    t.match(await answer.json(), { type: "urn:drover:problem:stopping" });
  } else t.pass("the port was closed already");
  release();
  await closing;
});
