// Images over HTTP: operators bring and remove them, vehicles fetch those that they were offered.
//
// R1. A vehicle's own credential opens the GET of an image that a rollout has offered to that vehicle, and nothing else (promise S10): what a stolen one reaches is what the vehicle has. Of
//     all other images it hears what it would hear of none.
// R2. Bytes go from the socket to the disk and from the disk to the socket; so many at once, and who neither sends nor takes any for a while is cut.

import type { ReadStream } from "node:fs";
import type { Readable } from "node:stream";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Type as T } from "typebox";
import { madeForWords } from "../../actors/index.ts";
import { answers, isHeld, type Problem, sendProblem, takeItsTime } from "../../protocols/http/index.ts";
import type { Clock, Log } from "../../runtime/ports/index.ts";
import { byteRange } from "./byte-range.ts";
import type { ImageStore, KeptImage, Uploaded } from "./image-store.ts";

export interface ImageRoutesOptions {
  readonly images: ImageStore;
  readonly maxBytes: number;
  /** Rollouts that use it and are not over. */
  readonly usersOf: (sha256: string) => readonly string[];
  /** R1. */
  readonly isOffered: (vehicle: string, sha256: string) => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

const OCTETS = "application/octet-stream";
const MOST_TRANSFERS = 512;
const RETRY_MS = 5_000;
/** A client that takes nothing for so long is cut, ms. */
const QUIET_MS = 60_000;
const MAX_LIMIT = 1_000;
const DEFAULT_LIMIT = 100;

const sha256 = T.String({ pattern: "^[0-9a-f]{64}$", description: "64 hexadecimal digits" });
const upload = T.Object(
  {
    module: T.String({ pattern: "^[a-z0-9-]+/[a-z0-9-]+$", maxLength: 128, description: "module type, e.g. trailcurrent/torrent" }),
    hardware: T.String({ pattern: "^[a-z0-9][a-z0-9._-]{0,63}$", description: "as vehicles' files name it, e.g. esp32-s3" }),
    address: T.Optional(T.Integer({ minimum: 0, maximum: 255, description: "build-time address of the module; left out for types that have none" })),
    version: T.String({ pattern: "^[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}$", description: "firmware version, e.g. 2.4.0" }),
    sha256: T.Optional(sha256),
  },
  { additionalProperties: false },
);
const listQuery = T.Object(
  {
    after: T.Optional(T.Integer({ minimum: 0, maximum: 1_000_000, description: "`next` of the page before" })),
    limit: T.Optional(T.Integer({ minimum: 1, maximum: MAX_LIMIT, description: `default ${String(DEFAULT_LIMIT)}` })),
  },
  { additionalProperties: false },
);
const params = T.Object({ sha256 });
const shown = T.Object({
  sha256: T.String(),
  bytes: T.Integer(),
  module: T.String(),
  hardware: T.String(),
  address: T.Union([T.Integer(), T.Null()]),
  version: T.String(),
  at: T.Number({ description: "when it was uploaded, ms since 1970" }),
  by: T.String(),
  rollouts: T.Array(T.String(), { description: "that use it and are not over" }),
});

export function imageRoutes(app: FastifyInstance, options: ImageRoutesOptions): void {
  const { images, usersOf, log } = options;
  const shownOf = (image: KeptImage): object => ({ ...image, rollouts: usersOf(image.sha256) });
  const transfers = new Set<ReadStream>();

  app.register(async (plain) => {
    const own = plain.withTypeProvider<TypeBoxTypeProvider>();
    own.removeAllContentTypeParsers();
    own.addContentTypeParser(OCTETS, (_request, payload, done) => {
      done(null, payload);
    });
    own.post(
      "/v1/images",
      {
        config: { role: "operator", takes: OCTETS },
        schema: {
          summary: "Bring an image of a module's firmware",
          description:
            "201 when it is on the disk, whole and hashed; 200 when it was there already. It is for one module type, hardware and address; `sha256` of the query, where given, must be its own.",
          tags: ["rollouts"],
          consumes: [OCTETS],
          querystring: upload,
          response: answers({ 200: shown, 201: shown }),
        },
      },
      async (request, reply) => {
        const { address, sha256: announced, ...image } = request.query;
        if (request.body === undefined || request.body === null) return sendProblem(reply, { name: "image-differs", detail: "There is no body." });
        const hurry = takeItsTime(request.raw);
        const length = Number(request.headers["content-length"]);
        const outcome = await images.keep({
          body: request.body as Readable,
          image: { ...image, address: address ?? null },
          sha256: announced,
          bytes: request.headers["content-length"] !== undefined && Number.isSafeInteger(length) ? length : undefined,
          by: request.principal?.name ?? "unknown",
        });
        hurry();
        if (outcome.kind === "kept") {
          if (outcome.isNew) log.info({ image: outcome.image }, "an image was brought");
          return reply.code(outcome.isNew ? 201 : 200).send(shownOf(outcome.image));
        }
        return sendProblem(reply, problemOf(outcome, announced, options));
      },
    );
  });

  const typed = app.withTypeProvider<TypeBoxTypeProvider>();

  typed.get(
    "/v1/images",
    {
      config: { role: "viewer" },
      schema: {
        summary: "List images",
        tags: ["rollouts"],
        querystring: listQuery,
        response: answers({ 200: T.Object({ items: T.Array(shown), next: T.Optional(T.Integer({ description: "absent at the end" })) }) }),
      },
    },
    (request, reply) => {
      const { after = 0, limit = DEFAULT_LIMIT } = request.query;
      const all = images.list();
      const items = all.slice(after, after + limit).map(shownOf);
      return reply.send({ items, ...(after + limit < all.length ? { next: after + limit } : {}) });
    },
  );

  typed.route({
    method: ["GET", "HEAD"],
    url: "/v1/images/:sha256",
    exposeHeadRoute: false,
    config: { role: "vehicle" },
    schema: {
      summary: "An image's bytes, for the vehicles that it was offered to, and for operators",
      description:
        "A vehicle's node sends its own credential of the broker as HTTP Basic. One Range is given as 206; the ETag is strong and stands for these bytes for ever, so that If-Range resumes.",
      tags: ["rollouts"],
      params,
      response: answers({
        200: { description: "the image", content: { [OCTETS]: { schema: { type: "string", format: "binary" } } } },
        206: { description: "the part of it that Range names", content: { [OCTETS]: { schema: { type: "string", format: "binary" } } } },
        304: { type: "null", description: "If-None-Match names it" },
      }),
    },
    handler: (request, reply) => {
      const image = images.get(request.params.sha256);
      if (image === undefined || (request.vehicle !== undefined && !options.isOffered(request.vehicle, image.sha256)))
        return sendProblem(reply, { name: "no-such-image", detail: `There is no image ${request.params.sha256.slice(0, 12)}… for you.` });
      return give(request, reply, image);
    },
  });

  typed.delete(
    "/v1/images/:sha256",
    {
      config: { role: "operator" },
      schema: { summary: "Remove an image that no rollout uses", tags: ["rollouts"], params, response: answers({ 204: { type: "null", description: "removed" } }) },
    },
    async (request, reply) => {
      const image = images.get(request.params.sha256);
      if (image === undefined) return sendProblem(reply, { name: "no-such-image", detail: `There is no image ${request.params.sha256.slice(0, 12)}….` });
      const rollouts = usersOf(image.sha256);
      if (rollouts.length > 0) return sendProblem(reply, { name: "image-in-use", detail: `It is used by ${rollouts.join(", ")}.`, members: { rollouts } });
      await images.remove(image.sha256);
      log.info({ image, by: request.principal?.name }, "an image was removed");
      return reply.code(204).send();
    },
  );

  function give(request: FastifyRequest, reply: FastifyReply, { sha256: name, bytes }: KeptImage): FastifyReply {
    const tag = `"${name}"`;
    reply.headers({ etag: tag, "accept-ranges": "bytes", "cache-control": "private, no-cache" });
    if (isHeld(request.headers["if-none-match"], tag)) return reply.code(304).send();
    const ifRange = request.headers["if-range"];
    const range = request.method === "HEAD" ? ({ kind: "whole" } as const) : byteRange(request.headers.range, Array.isArray(ifRange) ? ifRange[0] : ifRange, tag, bytes);
    if (range.kind === "unsatisfiable")
      return sendProblem(reply, {
        name: "range-not-satisfiable",
        detail: `It has ${String(bytes)} bytes.`,
        members: { bytes },
        headers: { "content-range": `bytes */${String(bytes)}` },
      });
    const { from, to } = range.kind === "part" ? range : { from: 0, to: bytes - 1 };
    if (request.method !== "HEAD" && transfers.size >= MOST_TRANSFERS)
      return sendProblem(reply, { name: "too-many-transfers", detail: `There are ${String(MOST_TRANSFERS)} under way.`, retryAfterMs: RETRY_MS });
    reply.headers({ "content-type": OCTETS, "content-length": String(to - from + 1) });
    if (range.kind === "part") reply.code(206).header("content-range", `bytes ${String(from)}-${String(to)}/${String(bytes)}`);
    if (request.method === "HEAD") return reply.send();
    const file = images.read(name, from, to);
    transfers.add(file);
    file.once("close", () => transfers.delete(file));
    cutWhenQuiet(file, reply);
    return reply.send(file);
  }

  /** R2. What the socket took since the last look. */
  function cutWhenQuiet(file: ReadStream, { raw }: FastifyReply): void {
    const { clock } = options;
    let seen = -1;
    const look = (): void => {
      const written = raw.socket?.bytesWritten ?? 0;
      if (written === seen) raw.destroy();
      else {
        seen = written;
        timer = clock.setTimeout(look, QUIET_MS, { unref: true });
      }
    };
    let timer = clock.setTimeout(look, QUIET_MS, { unref: true });
    raw.once("close", () => {
      clock.clearTimeout(timer);
      file.destroy();
    });
  }
}

function problemOf(outcome: Exclude<Uploaded, { kind: "kept" }>, announced: string | undefined, { maxBytes }: ImageRoutesOptions): Problem {
  switch (outcome.kind) {
    case "too-large":
      return { name: "image-too-large", detail: `An image has at most ${String(maxBytes)} bytes here.`, members: { maxBytes } };
    case "differs":
      return {
        name: "image-differs",
        detail:
          outcome.bytes === 0
            ? "There is no body."
            : announced === undefined || announced === outcome.sha256
              ? `${String(outcome.bytes)} bytes came, which is another length than was announced.`
              : `What came has the sha256 ${outcome.sha256}, and ${announced} was announced.`,
        members: { sha256: outcome.sha256, bytes: outcome.bytes },
      };
    case "exists": {
      const { module, hardware, address, version } = outcome.image;
      return {
        name: "image-exists",
        detail: `These bytes are known as ${madeForWords(`${module} ${version}`, outcome.image)}.`,
        members: { known: { module, hardware, address, version, sha256: outcome.image.sha256 } },
      };
    }
    case "no-room":
      return { name: "image-store-full", detail: `It was not kept: ${outcome.reason}.` };
    case "cut":
      return { name: "request-timeout", detail: `Only ${String(outcome.bytes)} bytes came.` };
    case "busy":
      return { name: "too-many-transfers", detail: "Other images are coming.", retryAfterMs: RETRY_MS };
  }
}
