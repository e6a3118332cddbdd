// Lists the images that the cloud keeps.

import { apiClient, type EndpointOptions } from "../api/index.ts";
import { type Call, EXIT, type ExitCode, printJson, printLines, table, timeText } from "../terminal/index.ts";

interface Image {
  readonly sha256: string;
  readonly bytes: number;
  readonly module: string;
  readonly hardware: string;
  readonly address: number | null;
  readonly version: string;
  readonly at: number;
  readonly by: string;
  readonly rollouts: readonly string[];
}

export async function listImages(options: EndpointOptions, call: Call): Promise<ExitCode> {
  const api = apiClient(options, call);
  const items: Image[] = [];
  let after: number | undefined;
  do {
    const { body }: { readonly body: { readonly items: readonly Image[]; readonly next?: number } } = await api.ask("/v1/images", { query: { after, limit: 1_000 } });
    items.push(...body.items);
    after = body.next;
  } while (after !== undefined);
  if (call.json) printJson(call.out, { items });
  else if (items.length === 0) call.err.write("no images\n");
  else
    printLines(
      call.out,
      table(
        items,
        [
          { title: "MODULE", of: ({ module }) => module },
          { title: "HARDWARE", of: ({ hardware }) => hardware },
          { title: "ADDRESS", of: ({ address }) => (address === null ? "–" : String(address)), right: true },
          { title: "VERSION", of: ({ version }) => version },
          { title: "BYTES", of: ({ bytes }) => String(bytes), right: true },
          { title: "SHA256", of: ({ sha256 }) => sha256 },
          { title: "BROUGHT", of: ({ at, by }) => `${timeText(at)} by ${by}` },
          { title: "USED BY", of: ({ rollouts }) => rollouts.join(", ") },
        ],
        call.isTerminal ? call.columns() : undefined,
      ),
    );
  return EXIT.ok;
}
