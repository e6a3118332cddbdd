// Versions of actor types on a node, from the command line: what is known and active, and the raise of newer ones (rules T4).

import { apiClient, type EndpointOptions } from "../api/index.ts";
import { type Call, CommandFailure, EXIT, type ExitCode, oneLine, printJson, printLines, table } from "../terminal/index.ts";

interface TypeVersions {
  readonly type: string;
  readonly known: readonly number[];
  readonly active: number;
}

interface Raised {
  readonly items: readonly TypeVersions[];
  readonly left: readonly { readonly entity: string; readonly reason: string }[];
}

/** Many entities go over one after the other. */
const RAISED_WITHIN_MS = 120_000;

export async function listVersions(options: EndpointOptions, call: Call): Promise<ExitCode> {
  const { body } = await apiClient(options, call).ask<{ readonly items: readonly TypeVersions[] }>("/v1/versions");
  if (call.json) printJson(call.out, body);
  else if (body.items.length === 0) call.err.write("no actor type is kept on this node\n");
  else
    printLines(
      call.out,
      table(
        body.items,
        [
          { title: "TYPE", of: ({ type }) => type },
          { title: "KNOWN", of: ({ known }) => known.join(", ") },
          { title: "ACTIVE", of: ({ active }) => String(active), right: true },
          { title: "", of: wordFor },
        ],
        call.isTerminal ? call.columns() : undefined,
      ),
    );
  return EXIT.ok;
}

/** @param types `pot`, or `pot@2` */
export async function raiseVersions(types: readonly string[], options: EndpointOptions & { readonly timeout?: number }, call: Call): Promise<ExitCode> {
  const api = apiClient(options, call);
  const { items } = (await api.ask<{ readonly items: readonly TypeVersions[] }>("/v1/versions")).body;
  const versions = Object.fromEntries(types.map((text) => wanted(text, items)));
  const { body } = await api.ask<Raised>("/v1/versions", { method: "POST", body: { versions }, withinMs: options.timeout ?? RAISED_WITHIN_MS });
  if (call.json) printJson(call.out, body);
  else {
    printLines(
      call.out,
      Object.entries(versions).map(([type, version]) => `version ${String(version)} of ${type} is active`),
    );
    for (const { entity, reason } of body.left) call.err.write(`${oneLine(`${entity} could not go over, and is tried again: ${reason}`)}\n`);
  }
  return body.left.length === 0 ? EXIT.ok : EXIT.partial;
}

function wanted(text: string, items: readonly TypeVersions[]): readonly [type: string, version: number] {
  const [, type = "", version] = /^([^@]+)(?:@([1-9]\d{0,14}))?$/.exec(text) ?? [];
  const known = items.find((item) => item.type === type)?.known;
  if (known === undefined)
    throw new CommandFailure({
      code: "no-such-version",
      title: "The node does not know this actor type.",
      detail: `"${text}" is not among ${items.map((item) => item.type).join(", ")}`,
      advice: "drover versions ls lists what it knows.",
      exit: EXIT.notFound,
    });
  return [type, version === undefined ? Math.max(...known) : Number(version)];
}

function wordFor({ known, active }: TypeVersions): string {
  const newest = Math.max(...known);
  if (active > newest) return "newer than all that are known: its entities are refused";
  return active < newest ? `version ${String(newest)} can be raised` : "";
}
