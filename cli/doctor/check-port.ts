// Is a port free, and if not, whose is it?

import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer } from "node:net";
import { type Finding, note, ok, problem } from "./finding.ts";

export interface PortCheck {
  readonly check: string;
  readonly host: string;
  readonly port: number;
  /** How the reader changes it, e.g. `http.port / DROVER_HTTP_PORT`. */
  readonly key: string;
  /** A node of this data folder listens there, so it is no problem that the port is taken. */
  readonly isOurs: boolean;
}

export async function checkPort({ check, host, port, key, isOurs }: PortCheck): Promise<Finding> {
  if (port === 0) return ok(check, "any free port will be used", { port });
  const facts = { host, port };
  const code = await tryToListen(host, port);
  if (code === undefined) return ok(check, `port ${String(port)} is free`, facts);
  if (code === "EADDRINUSE") {
    const holder = holderOf(port);
    const by = holder === undefined ? "another program" : `${holder.command} (process id ${String(holder.pid)})`;
    if (isOurs) return ok(check, `port ${String(port)} is in use by the node of this data folder`, { ...facts, ...holder });
    return problem(check, `port ${String(port)} is in use by ${by}`, "A node that is to listen there does not start.", `Stop that program, or change ${key}.`, {
      ...facts,
      ...holder,
    });
  }
  if (code === "EACCES")
    return problem(check, `port ${String(port)} may not be opened by this user`, "A node that is to listen there does not start.", `Use a port from 1024 on: ${key}.`, facts);
  return note(check, `port ${String(port)} on ${host} cannot be tried: ${code}`, "A node that is to listen there may not start.", `Check the address, or change ${key}.`, facts);
}

function tryToListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? error.message);
    });
    server.listen({ host, port, exclusive: true }, () => {
      server.close(() => {
        resolve(undefined);
      });
    });
  });
}

/** Linux only, and only for processes that this user may look at. */
function holderOf(port: number): { readonly pid: number; readonly command: string } | undefined {
  const inodes = new Set([...listeners("/proc/net/tcp", port), ...listeners("/proc/net/tcp6", port)]);
  if (inodes.size === 0) return undefined;
  for (const name of list("/proc").filter((entry) => /^\d+$/.test(entry))) {
    for (const descriptor of list(`/proc/${name}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(link(`/proc/${name}/fd/${descriptor}`))?.[1];
      if (inode !== undefined && inodes.has(inode)) return { pid: Number(name), command: text(`/proc/${name}/comm`).trim() };
    }
  }
  return undefined;
}

/** Inodes of the sockets that listen on the port: columns local address (hex), state (0A listens), inode. */
function listeners(file: string, port: number): readonly string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return text(file)
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(wanted) === true && fields[3] === "0A")
    .map((fields) => fields[9] ?? "");
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function text(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function link(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return "";
  }
}
