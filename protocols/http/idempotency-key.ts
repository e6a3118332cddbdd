// The id that a sender gives its message: the same key of the same author has the same outcome, and acts once.

import type { FastifyRequest } from "fastify";
import type { Random } from "../../runtime/ports/index.ts";
import type { Problem } from "./problem.ts";

const KEY = /^[\x21-\x7e]{1,128}$/;

export const KEY_HEADER = {
  type: "string",
  maxLength: 128,
  description: "the message's id: the same key gives the same outcome and acts once, for 24 h",
} as const;

/** Made where the sender gives none. */
export function keyIn(request: FastifyRequest, random: Random): string | Problem {
  const given = request.headers["idempotency-key"];
  if (given !== undefined && (typeof given !== "string" || !KEY.test(given)))
    return { name: "header-invalid", detail: "Idempotency-Key: 1 to 128 visible ASCII characters are expected." };
  return given ?? random.id();
}
