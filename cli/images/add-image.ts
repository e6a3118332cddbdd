// Brings an image of a module's firmware to the cloud, hashed before it goes.

import { createHash } from "node:crypto";
import { readPlainFile } from "../../runtime/host/index.ts";
import { type ApiClient, apiClient, type EndpointOptions } from "../api/index.ts";
import { type Call, EXIT, type ExitCode, printJson, printLines } from "../terminal/index.ts";

/** What an image is for. */
export interface ImageFor {
  readonly module: string;
  readonly hardware: string;
  readonly address?: number | undefined;
  readonly version: string;
}

interface Brought {
  readonly sha256: string;
  readonly bytes: number;
}

/** As long as the cloud waits for bytes that come slowly. */
const BROUGHT_WITHIN_MS = 600_000;

export async function addImage(file: string, { module, hardware, address, version, ...options }: EndpointOptions & ImageFor, call: Call): Promise<ExitCode> {
  const bytes = readImage(file);
  const { body, isNew } = await bringImage(apiClient(options, call), { module, hardware, address, version }, bytes);
  if (call.json) printJson(call.out, body);
  else printLines(call.out, [`${body.sha256}  ${isNew ? "was brought" : "was there already"}, ${String(body.bytes)} bytes`]);
  return EXIT.ok;
}

/** @throws DROVER_FILE_UNREADABLE */
export function readImage(file: string): Uint8Array {
  return readPlainFile(file, "an image of a module's firmware");
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The cloud compares the hash as well: what comes otherwise than it left is not kept. */
export async function bringImage(api: ApiClient, image: ImageFor, bytes: Uint8Array): Promise<{ readonly body: Brought; readonly isNew: boolean }> {
  const { module, hardware, address, version } = image;
  const query = { module, hardware, address, version, sha256: sha256Of(bytes) };
  const { body, status } = await api.ask<Brought>("/v1/images", { method: "POST", query, bytes, withinMs: BROUGHT_WITHIN_MS });
  return { body, isNew: status === 201 };
}
