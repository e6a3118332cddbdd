// A façade over a real system in memory, with a token of each role, for the tests of protocols/http.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from "fastify";
import type { Test } from "tap";
import { httpFacade, type HttpFacadeOptions, loadTokens, type LoadedTokens, type Role } from "../../../protocols/http/index.ts";
import { parseAddress, type System } from "../../../runtime/index.ts";
import { silentLog, type Store } from "../../../runtime/ports/index.ts";
import { memoryStore, SeededRandom, settle } from "../../../runtime/simulation/index.ts";
import { hosting, type Hosting } from "../../runtime/system/hosting.ts";

export const COUNTER = "acme/counter/a";
/** Of the counter: its path, encoded. */
export const AT = `/v1/actors/${encodeURIComponent(COUNTER)}`;

export interface Serving extends Hosting {
  readonly app: FastifyInstance;
  readonly tokens: LoadedTokens;
  readonly folder: string;
  /** Asks with a token of this role; `none` sends no credentials. */
  readonly as: (role: Role | "none", request: InjectOptions) => Promise<LightMyRequestResponse>;
  readonly texts: Readonly<Record<Role, string>>;
}

/** @param system takes the place of the hosted one, where a test needs an outcome that a healthy system does not give */
export async function serving(t: Test, options: Partial<HttpFacadeOptions> & { readonly hosted?: Partial<Parameters<typeof hosting>[0]> } = {}): Promise<Serving> {
  const { hosted, ...facade } = options;
  const host = await hosting(hosted);
  const folder = mkdtempSync(join(tmpdir(), "drover-http-"));
  const tokens = await loadTokens(folder, { clock: host.clock });
  const texts = { admin: tokens.firstToken ?? "", operator: await makeToken(tokens, "ann", "operator"), viewer: await makeToken(tokens, "vic", "viewer") };
  const app = httpFacade({
    system: host.system,
    clock: host.clock,
    log: silentLog,
    random: new SeededRandom(7),
    tokens,
    trees: () => [],
    nodes: () => [],
    ready: () => ({ ok: true, reasons: [] }),
    version: "1.2.3",
    ...facade,
  });
  await app.ready();
  t.teardown(async () => {
    await app.close();
    await host.system.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const as: Serving["as"] = (role, request) => app.inject({ ...request, headers: { ...(role === "none" ? {} : { authorization: `Bearer ${texts[role]}` }), ...request.headers } });
  return { ...host, app, tokens, folder, texts, as };
}

async function makeToken(tokens: LoadedTokens, name: string, role: Role): Promise<string> {
  const added = await tokens.add(name, role, "test");
  if (added.kind !== "added") throw new Error(added.kind);
  return added.token;
}

/** A system with one counter, and its façade. */
export async function servingCounter(t: Test, options: Parameters<typeof serving>[1] = {}): Promise<Serving> {
  const served = await serving(t, options);
  await served.system.activate(parseAddress(COUNTER), { input: undefined, labels: { fleet: "north" } });
  return served;
}

/** A store in memory whose commits can be held back. */
export async function holdingStore(): Promise<{ readonly store: Store; readonly hold: () => void; readonly release: () => void }> {
  const inner = memoryStore();
  await inner.open();
  let gate = Promise.resolve();
  let release: () => void = () => undefined;
  return {
    store: {
      ...inner,
      commit: async (batch) => {
        await gate;
        return inner.commit(batch);
      },
    },
    hold: () => {
      gate = new Promise((resolve) => {
        release = resolve;
      });
    },
    release: () => {
      release();
    },
  };
}

/** The real system with some of its answers replaced: a FAKE for what only faults bring about. */
export function fakeOver(system: System, replaced: Partial<System>): System {
  return { ...system, ...replaced };
}

/** That an answer is a problem of this name, whole and without a stack. */
export function isProblem(t: Test, answer: LightMyRequestResponse, status: number, name: string): Record<string, unknown> {
  t.equal(answer.statusCode, status, `${name}: status`);
  t.match(String(answer.headers["content-type"]), /^application\/problem\+json/, `${name}: content type`);
  const body = answer.json<Record<string, unknown>>();
  t.match(body, { type: `urn:drover:problem:${name}`, status, title: String, detail: String, advice: String }, `${name}: members`);
  t.notMatch(answer.body, /\n {4}at |node_modules|\.js:\d+/, `${name}: no stack`);
  return body;
}

/** Resolves when nobody is connected to the façade any more. */
export async function closedConnections({ app }: Serving): Promise<void> {
  const count = (): Promise<number> =>
    new Promise((resolve) => {
      app.server.getConnections((_error, connections) => {
        resolve(connections);
      });
    });
  while ((await count()) > 0) await settle();
}
