// What the demo hears of its cloud, and what it says where the cloud takes no token of its folder.

import { rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "tap";

import { CloudView } from "../../../cli/demo/cloud-view.ts";
import { fleetNews } from "../../../cli/demo/log-lines.ts";

test("a token that the cloud does not take is not sent again, another one is; why nothing is known is said", async (t) => {
  const data = t.testdir({ "api-token": "drover_first" });
  const file = join(data, "api-token");
  const heard: (string | undefined)[] = [];
  let valid = "drover_first";
  let status = 401;
  const server = createServer((request, response) => {
    heard.push(request.headers.authorization);
    const isTaken = request.headers.authorization === `Bearer ${valid}`;
    const [name, body] = isTaken
      ? [200, { items: [{ address: "demo/vehicle/a", presence: "online" }] }]
      : [status, { type: `urn:drover:problem:${status === 429 ? "too-many-failures" : "unauthorized"}`, title: "no" }];
    response.writeHead(name, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const view = new CloudView(data, { interrupt: new AbortController().signal });
  t.same([...(await view.look(undefined)).vehicles], [], "it does not listen yet");
  t.match((await view.look(url)).vehicles.get("demo/vehicle/a"), { presence: "online" });
  valid = "drover_second";
  t.equal((await view.look(url)).blind, undefined);
  const asked = heard.length;
  for (let look = 0; look < 3; look++) t.match((await view.look(url)).blind, /the cloud does not take the token in .*api-token/);
  t.equal(heard.length, asked, "nothing more was sent");
  rmSync(file);
  t.match((await view.look(url)).blind, /there is no token in .*api-token/);
  status = 429;
  writeFileSync(file, "drover_other");
  await view.look(url);
  t.equal((await view.look(url)).blind, undefined, "that it is shut out for a while says nothing of its token");
  writeFileSync(file, "drover_second");
  const { vehicles, blind } = await view.look(url);
  t.equal(vehicles.size, 1);
  t.equal(blind, undefined);
});

test("without a terminal it is said once, until it is over", (t) => {
  const said: string[] = [];
  const out = { write: (text: string) => void said.push(text) } as never;
  const news = fleetNews({ json: false, out }, () => 0);
  for (const blind of ["no token", "no token", undefined, "no token"]) news.look([], blind);
  t.same(said, ["no token\n", "no token\n"]);
  t.end();
});
