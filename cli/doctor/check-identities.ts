// Can each node read who it is, as it would when it starts? It makes up no identity: without one that it can read it does not start (rules L1).

import { dirname, relative } from "node:path";
import { IDENTITY_FILES, readIdentity } from "../../protocols/sqlite/index.ts";
import { DroverError } from "../../runtime/ports/index.ts";
import { type Finding, note, ok, problem } from "./finding.ts";
import { entriesBelow } from "./found-files.ts";

const KNOWN: ReadonlySet<string> = new Set(IDENTITY_FILES);

export async function checkIdentities(folder: string): Promise<readonly Finding[]> {
  const files = entriesBelow(folder, ({ name }) => name.includes(".damaged-")).filter(({ name, isFolder }) => !isFolder && KNOWN.has(name));
  const folders = new Set(files.map(({ path }) => dirname(path)));
  return Promise.all([...folders].map((each) => checkIdentity(each, relative(folder, each) || ".")));
}

async function checkIdentity(path: string, shown: string): Promise<Finding> {
  try {
    const read = await readIdentity(path);
    const facts = { path, node: read?.identity.node ?? null };
    if (read?.behind === undefined) return ok("identity", `the identity in ${shown} is whole`, facts);
    return note(
      "identity",
      `of the two copies of the identity in ${shown} one does not count: ${read.behind}`,
      "The other one does.",
      "Its node writes it anew when it starts.",
      facts,
    );
  } catch (error) {
    const fix =
      error instanceof DroverError && error.code === "DROVER_STORE_NEWER"
        ? "Run the newer version of Drover again, or point to another data folder."
        : `Put ${IDENTITY_FILES.join(" and ")} back from a backup.`;
    return problem("identity", (error as Error).message, "Its node does not start.", fix, { path });
  }
}
