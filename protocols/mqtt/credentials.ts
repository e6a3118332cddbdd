// Who may connect to the embedded broker, and what each may reach: one file per node, readable by its owner only. A node is given its file; the broker reads them all.
//
// G1. A secret is made once, at the first start, and never logged. A file that is readable by others is narrowed to its owner, one that cannot be read stops the start by name.

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { chmodSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DroverError } from "../../runtime/ports/index.ts";
import { decodeSegment, encodeSegment } from "../../runtime/wire/index.ts";

/** What a credential reaches: everything, or one vehicle's subtree (rules S10). */
export type Reach = { readonly kind: "everything" } | { readonly kind: "vehicle"; readonly tenant: string; readonly vehicle: string };

export interface NodeCredential {
  /** Also the user name. */
  readonly node: string;
  readonly secret: string;
  readonly reach: Reach;
}

const SUFFIX = ".json";

/**
 * The node's credential in `folder`, made if there is none.
 * @throws DROVER_BROKER_CREDENTIALS when a file is there and cannot be used, or the folder cannot be written
 */
export function nodeCredential(folder: string, node: string, reach: Reach): NodeCredential {
  const path = join(folder, `${encodeSegment(node)}${SUFFIX}`);
  const known = readCredential(path);
  if (known !== undefined) {
    if (known.node === node && sameReach(known.reach, reach)) return known;
    throw new DroverError("DROVER_BROKER_CREDENTIALS", `${path} is for ${known.node} (${reachText(known.reach)}), not for ${node} (${reachText(reach)})`);
  }
  const made: NodeCredential = { node, secret: randomBytes(32).toString("base64url"), reach };
  const fresh = `${path}.${randomBytes(6).toString("hex")}.new`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(fresh, `${JSON.stringify(made, undefined, 2)}\n`, { mode: 0o600, flag: "wx" });
    place(fresh, path);
    return made;
  } catch (error) {
    // Two processes started at once: the file of the first one counts.
    const first = isCode(error, "EEXIST") ? readCredential(path) : undefined;
    if (first !== undefined) return first;
    throw new DroverError("DROVER_BROKER_CREDENTIALS", `${path} cannot be written`, { cause: error });
  }
}

/** Gives the finished file its name unless that is taken. */
function place(fresh: string, path: string): void {
  try {
    linkSync(fresh, path);
  } catch (error) {
    if (isCode(error, "EEXIST")) throw error;
    renameSync(fresh, path); // a file system without links
  } finally {
    rmSync(fresh, { force: true });
  }
}

/** All credentials in `folder`, by node. @throws DROVER_BROKER_CREDENTIALS */
export function readCredentials(folder: string): readonly NodeCredential[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if (isCode(error, "ENOENT")) return [];
    throw new DroverError("DROVER_BROKER_CREDENTIALS", `${folder} cannot be read`, { cause: error });
  }
  return names
    .filter((name) => name.endsWith(SUFFIX) && decodeSegment(name.slice(0, -SUFFIX.length)) !== undefined)
    .sort()
    .map((name) => readCredential(join(folder, name)))
    .filter((credential) => credential !== undefined);
}

/** Looks user names and secrets up without telling by its speed how near a guess was. */
export class CredentialBook {
  readonly #byNode = new Map<string, NodeCredential>();
  readonly #folder: string | undefined;

  /** @param folder where a credential that was made after the start is looked for; absent: only those that were added */
  constructor(credentials: readonly NodeCredential[], folder?: string) {
    this.#folder = folder;
    for (const credential of credentials) this.add(credential);
  }

  /** All of a folder, and those that come to it later. @throws DROVER_BROKER_CREDENTIALS */
  static of(folder: string): CredentialBook {
    return new CredentialBook(readCredentials(folder), folder);
  }

  add(credential: NodeCredential): void {
    this.#byNode.set(credential.node, credential);
  }

  /** What the user reaches, or undefined for a wrong user or secret. */
  check(user: string, secret: Uint8Array): Reach | undefined {
    const credential = this.#byNode.get(user) ?? this.#lookAgain(user);
    const fits = timingSafeEqual(digest(secret), digest(Buffer.from(credential?.secret ?? "", "utf8")));
    return fits && credential !== undefined ? credential.reach : undefined;
  }

  #lookAgain(user: string): NodeCredential | undefined {
    if (this.#folder === undefined || user.length === 0 || user.length > 128) return undefined;
    try {
      const credential = readCredential(join(this.#folder, `${encodeSegment(user)}${SUFFIX}`));
      if (credential?.node === user) this.add(credential);
    } catch {
      return undefined;
    }
    return this.#byNode.get(user);
  }
}

function digest(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

function readCredential(path: string): NodeCredential | undefined {
  try {
    const text = readFileSync(path, "utf8");
    if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
    const value = JSON.parse(text) as Partial<NodeCredential>;
    if (typeof value.node === "string" && value.node !== "" && typeof value.secret === "string" && value.secret.length >= 16 && isReach(value.reach))
      return value as NodeCredential;
  } catch (error) {
    if (isCode(error, "ENOENT")) return undefined;
    throw new DroverError("DROVER_BROKER_CREDENTIALS", `${path} cannot be read`, { cause: error });
  }
  throw new DroverError("DROVER_BROKER_CREDENTIALS", `${path}: expected {"node", "secret" of at least 16 characters, "reach"}`);
}

function isReach(value: unknown): value is Reach {
  const reach = value as Partial<Extract<Reach, { kind: "vehicle" }>> | { readonly kind: "everything" } | null | undefined;
  if (reach?.kind === "everything") return true;
  return reach?.kind === "vehicle" && typeof reach.tenant === "string" && reach.tenant !== "" && typeof reach.vehicle === "string" && reach.vehicle !== "";
}

function sameReach(a: Reach, b: Reach): boolean {
  return reachText(a) === reachText(b);
}

function reachText(reach: Reach): string {
  return reach.kind === "everything" ? "everything" : `vehicle ${encodeSegment(reach.tenant)}/${encodeSegment(reach.vehicle)}`;
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code;
}
