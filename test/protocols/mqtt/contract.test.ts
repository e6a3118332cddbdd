import { test } from "tap";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { transportContract } from "../../contracts/transport.ts";
import { bookOf, everything, mqttHarness, pass, secretOf, startBroker } from "./mqtt-harness.ts";

void test("the MQTT transport keeps the contract over the embedded broker", (t) => {
  transportContract(t, async () => {
    const broker = await startBroker(bookOf(["a", everything], ["b", everything], ["c", everything]));
    return mqttHarness(broker.port, () => broker.close());
  });
  t.end();
});

const mosquitto = spawnSync("mosquitto", ["-h"]).error === undefined && spawnSync("mosquitto_passwd", ["-h"]).error === undefined;
const required = (process.env["DROVER_REQUIRE"] ?? "").split(",").includes("broker");

void test("the MQTT transport keeps the contract over Mosquitto", { skip: mosquitto || required ? false : "needs mosquitto" }, (t) => {
  transportContract(t, async () => {
    const broker = await startMosquitto();
    return mqttHarness(broker.port, () => broker.close());
  });
  t.end();
});

async function startMosquitto(): Promise<{ readonly port: number; close(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), "drover-mosquitto-"));
  const port = await freePort();
  const passwords = join(folder, "passwords");
  writeFileSync(passwords, "");
  for (const node of ["a", "b", "c"]) spawnSync("mosquitto_passwd", ["-b", passwords, node, secretOf(node)]);
  chmodSync(folder, 0o755);
  chmodSync(passwords, 0o644);
  const config = join(folder, "mosquitto.conf");
  writeFileSync(config, `listener ${String(port)} 127.0.0.1\nallow_anonymous false\npassword_file ${passwords}\nmax_queued_messages 10000\n`);
  const child: ChildProcess = spawn("mosquitto", ["-c", config], { stdio: "ignore" });
  const gone = new Promise<void>((resolve) =>
    child.once("exit", () => {
      resolve();
    }),
  );
  for (let tries = 0; tries < 200 && !(await answers(port)); tries++) await pass(25);
  return {
    port,
    close: async () => {
      child.kill("SIGKILL");
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => {
      resolve(false);
    });
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => {
        resolve(port);
      });
    });
  });
}
