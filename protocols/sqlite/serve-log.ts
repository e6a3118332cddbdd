// The calls of the log's facade, carried out on its file.

import type { OpenFile } from "./open-file.ts";
import type { Service } from "./store-thread.ts";

export function serveLog(_file: OpenFile, _settings: unknown): Service {
  return { handle: () => ({ value: undefined }) };
}
