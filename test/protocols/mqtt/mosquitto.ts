// A real Mosquitto on a scratch port, with its users and, where given, its rules.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lastingPort } from "../../lasting-port.ts";
import { needs } from "../../needs.ts";
import { pass } from "./mqtt-harness.ts";

export const needsMosquitto = needs("broker", spawnSync("mosquitto", ["-h"]).error === undefined && spawnSync("mosquitto_passwd", ["-h"]).error === undefined);

export interface Mosquitto {
  readonly port: number;
  close(): Promise<void>;
}

/** @param users passwords by name @param acl text of its `acl_file` */
export async function startMosquitto(users: Readonly<Record<string, string>>, acl?: string): Promise<Mosquitto> {
  const folder = mkdtempSync(join(tmpdir(), "drover-mosquitto-"));
  const port = await lastingPort();
  const passwords = join(folder, "passwords");
  const rules = join(folder, "acl.txt");
  writeFileSync(passwords, "");
  for (const [name, password] of Object.entries(users)) spawnSync("mosquitto_passwd", ["-b", passwords, name, password]);
  writeFileSync(rules, acl ?? "");
  chmodSync(folder, 0o755);
  for (const file of [passwords, rules]) chmodSync(file, 0o644);
  const config = join(folder, "mosquitto.conf");
  const lines = [
    `listener ${String(port)} 127.0.0.1`,
    "allow_anonymous false",
    `password_file ${passwords}`,
    "max_queued_messages 10000",
    ...(acl === undefined ? [] : [`acl_file ${rules}`]),
  ];
  writeFileSync(config, `${lines.join("\n")}\n`);
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
