// Every way in which a request is not granted, in one table: the stable name, its status, and what the sender should do (RFC 9457).
// The `type` of a problem is `urn:drover:problem:<name>`; a name keeps its meaning and is never reused.
//
// P1. What a sender learns of a message (runtime's Refusal) has one row each, in the first block; `deadline` and `outcome-unknown` are both 504 because both waited in vain,
//     and are two names because only the first may be sent again under a new id.

export interface ProblemKind {
  readonly status: number;
  readonly title: string;
  readonly advice: string;
}

export const problemKinds = {
  // P1: outcomes of messages.
  invalid: {
    status: 422,
    title: "The message does not fit the actor's protocol.",
    advice: "Mend the fields named in `problems`; the schema of each message is in /v1/openapi.json.",
  },
  refused: {
    status: 409,
    title: "The actor does not take this message now.",
    advice: "Look at `accepts`, and at `guard` where there is one, and send it when the actor's state allows it.",
  },
  "id-reused": {
    status: 422,
    title: "This Idempotency-Key was used for another message.",
    advice: "Use a new key for a new message; a repetition must be the same message of the same author.",
  },
  "no-such-actor": { status: 404, title: "There is no actor with this address.", advice: "List what there is with GET /v1/actors." },
  full: {
    status: 429,
    title: "There is no room for the message now.",
    advice: "Nothing was taken; `detail` says what is full. Send it again after Retry-After with the same Idempotency-Key.",
  },
  "owner-away": {
    status: 503,
    title: "Nobody who may act on this actor can be reached.",
    advice:
      "This request sent nothing. Send it again after Retry-After with the same Idempotency-Key; `asOf` tells how old the last known state is; a `reason`, where there is one, why its node runs without it, and what its operator can do.",
  },
  deadline: {
    status: 504,
    title: "The deadline passed before the message was taken.",
    advice: "It was not acted on and will not be. Send it again, with more time if the actor is busy.",
  },
  "not-stored": {
    status: 503,
    title: "The message could not be stored.",
    advice: "Nothing happened. Send it again after Retry-After with the same Idempotency-Key; if it lasts, see the node's log and disk.",
  },
  "too-old": { status: 410, title: "The message expired before it arrived.", advice: "It was not acted on. Send it under a new Idempotency-Key if it is still wanted." },
  "outcome-unknown": {
    status: 504,
    title: "What became of the message is not known.",
    advice: "It may have been acted on. Ask again with the same Idempotency-Key: that gives the one true outcome and never acts twice.",
  },

  // The request itself.
  "body-not-json": { status: 400, title: "The body is not JSON.", advice: "Send one JSON value in UTF-8 with Content-Type: application/json." },
  "body-too-deep": { status: 400, title: "The body is nested too deeply.", advice: "Send JSON of at most 32 levels." },
  "body-too-large": { status: 413, title: "The body is too large.", advice: "Send less; the limit is in `maxBytes`." },
  "unsupported-media-type": { status: 415, title: "The media type is not supported.", advice: "Send the body with the Content-Type that the header Accept of this answer names." },
  "query-invalid": { status: 400, title: "The query is not valid.", advice: "Mend the parameters named in `problems`; /v1/openapi.json lists them." },
  "header-invalid": { status: 400, title: "A header is not valid.", advice: "Mend the named header." },
  "cursor-invalid": { status: 400, title: "The cursor is not one of this list.", advice: "Begin without a cursor, and keep the filters of the first page on every further page." },
  "address-invalid": { status: 400, title: "The address is not well formed.", advice: "Write tenant/type/id, then /type/id for each child, as one percent-encoded path segment." },
  "address-not-encoded": { status: 400, title: "The address stands in the path with raw slashes.", advice: "Encode it as one path segment: each / of the address is %2F." },
  "url-invalid": { status: 400, title: "The path cannot be decoded.", advice: "Percent-encode it as UTF-8." },
  "url-too-long": { status: 414, title: "The path or a segment of it is too long.", advice: "An address has at most 512 characters; its encoded form at most 1024." },
  "not-found": { status: 404, title: "There is nothing at this path.", advice: "See /v1/openapi.json for what there is." },
  "method-not-allowed": { status: 405, title: "This path does not have this method.", advice: "Use one of the methods in `allow`." },
  "not-acceptable": { status: 406, title: "This resource is an event stream only.", advice: "Accept text/event-stream." },
  "precondition-failed": { status: 412, title: "The actor has moved on.", advice: "Read it again, decide again, and send with its present ETag." },
  "hosted-elsewhere": { status: 409, title: "This can only be seen on the node that hosts the actor.", advice: "Ask the node named in `owner`." },
  "revision-not-kept": { status: 404, title: "The journal does not keep this revision.", advice: "Choose one from `first` to `last`; GET …/history lists them." },
  "no-such-vehicle": {
    status: 404,
    title: "No signals of such a vehicle are known here.",
    advice: "List vehicles with GET /v1/actors?kind=vehicle; the address is that of the vehicle itself.",
  },

  "no-such-image": {
    status: 404,
    title: "There is no image with this sha256 for whoever asks.",
    advice: "List them with GET /v1/images; a vehicle is given those that a rollout has offered it.",
  },
  "image-differs": {
    status: 422,
    title: "The image is not the one that was announced.",
    advice: "Nothing was kept. Compare `sha256` with the file at hand, and send it again, whole.",
  },
  "image-exists": { status: 409, title: "This image is known as one for something else.", advice: "See `known`; delete it there first, if it was named wrongly." },
  "image-in-use": { status: 409, title: "A rollout uses this image.", advice: "End the rollouts in `rollouts` first." },
  "image-too-large": { status: 413, title: "The image is too large.", advice: "See `maxBytes`; `images` in the node's configuration changes it." },
  "image-store-full": {
    status: 507,
    title: "There is no room for the image.",
    advice: "Delete images that no rollout uses; `images` in the node's configuration, or a larger disk, gives more.",
  },
  "range-not-satisfiable": { status: 416, title: "The image has no such bytes.", advice: "Its length is in `bytes`; begin anew without Range." },
  "too-many-transfers": { status: 503, title: "This node moves as many images as it can.", advice: "Try again after Retry-After." },

  // Rollouts.
  "no-such-rollout": {
    status: 404,
    title: "There is no rollout of this name.",
    advice: "List them with GET /v1/rollouts; its address is one percent-encoded segment, its name alone does where one tenant has it.",
  },
  "no-such-target": {
    status: 404,
    title: "The vehicle is no target of this rollout.",
    advice: "List them with GET /v1/rollouts/{id}/targets; whoever joined the fleet later is in none.",
  },
  "rollout-plan-invalid": { status: 422, title: "The plan is not valid.", advice: "Mend what `problems` names; nothing was made." },
  "rollout-threshold": { status: 422, title: "A number of the plan is out of its range.", advice: "Mend the thresholds named in `problems`; /v1/openapi.json has their ranges." },
  "rollout-image-unknown": { status: 422, title: "An image of the plan is not kept here.", advice: "Bring it with POST /v1/images first." },
  "rollout-image-differs": { status: 422, title: "An image of the plan is not the one that is kept here.", advice: "Compare the sha256 in the plan with GET /v1/images." },
  "rollout-image-missing": {
    status: 422,
    title: "Modules of the selected vehicles have no image in the plan.",
    advice: "Add an image for each type, hardware and address in `problems`, or select other vehicles.",
  },
  "rollout-group-empty": { status: 422, title: "A group of the plan has no vehicle.", advice: "Mend its labels: no selected vehicle that is left has them." },
  "rollout-selects-none": { status: 422, title: "The plan selects no vehicle that is to be updated.", advice: "See `problems`: mend `select`, or there is nothing to do." },
  "rollout-module-taken": { status: 409, title: "Another rollout is about to update these modules.", advice: "End that one first, or leave the vehicles in `problems` out." },
  "rollout-exists": { status: 409, title: "There is a rollout of this name already.", advice: "Give this one a name of its own: names are kept in addresses and histories." },
  "rollout-over": { status: 409, title: "The rollout is over.", advice: "What was committed stays. Make a new rollout for what is left." },
  "tenant-needed": { status: 400, title: "Whose vehicles are meant is not clear.", advice: "Name one of `tenants` as the query parameter tenant." },

  // Doors.
  unauthenticated: {
    status: 401,
    title: "Who are you?",
    advice:
      "Send `Authorization: Bearer <token>`, or sign in at /v1/session. The first token is in the file api-token of the node's data folder; if it is lost, stop the node, delete tokens.json there and start it for a new one.",
  },
  forbidden: { status: 403, title: "This token's role does not allow it.", advice: "Use a token of the role in `needs`." },
  "cross-site": {
    status: 403,
    title: "A write by cookie must come from the node's own page.",
    advice: "Send it from the page itself, or with `Authorization: Bearer <token>` in place of the cookie.",
  },
  "token-in-url": {
    status: 400,
    title: "Tokens never stand in URLs.",
    advice: "Send it in the Authorization header, and replace this token: URLs are kept in logs and histories.",
  },
  "too-many-failures": { status: 429, title: "Too many failed attempts to sign in.", advice: "Wait for Retry-After, then use a valid token." },
  "token-exists": { status: 409, title: "There is a token of this name already.", advice: "Choose another name, or delete that token first." },
  "no-such-token": { status: 404, title: "There is no token of this name.", advice: "List tokens with GET /v1/tokens." },
  "last-admin": { status: 409, title: "This is the last token of an admin.", advice: "Make another admin's token first." },
  "no-such-letter": { status: 404, title: "This node keeps no dead letter of this number.", advice: "List them with GET /v1/dead-letters; the last 1,000 are kept." },
  "letter-spent": { status: 409, title: "This dead letter cannot be sent again.", advice: "See `detail`; send the message itself, under a new Idempotency-Key." },
  "no-such-version": { status: 404, title: "This node does not know this version of an actor type.", advice: "List what it knows with GET /v1/versions." },
  "version-lowered": { status: 409, title: "A version of an actor type is never lowered.", advice: "Leave the active one, or run a release with a newer one." },
  "token-limit": { status: 409, title: "There are as many tokens as this node keeps.", advice: "Delete tokens that are no longer used." },

  // The node.
  "not-ready": { status: 503, title: "The node is not ready.", advice: "See `reasons`; ask again later." },
  stopping: { status: 503, title: "The node is stopping.", advice: "Send it to another node, or again after Retry-After." },
  "too-many-streams": { status: 503, title: "This node serves as many streams as it can.", advice: "Close streams that nobody looks at, or try again after Retry-After." },
  "request-timeout": { status: 408, title: "The request did not arrive in time.", advice: "Send it again, whole, within 30 s." },
  "expectation-failed": { status: 417, title: "The node does not do what the request expects.", advice: "Leave the Expect header out, or send 100-continue." },
  "headers-too-large": { status: 431, title: "The header of the request is too large.", advice: "Send fewer or shorter header lines." },
  "not-implemented": { status: 501, title: "The node does not know this part of HTTP.", advice: "See `detail`; /v1/openapi.json lists what there is." },
  "http-version": { status: 505, title: "This version of HTTP is not spoken here.", advice: "Send HTTP/1.1." },
  "bad-http": { status: 400, title: "This is not a well-formed HTTP request.", advice: "Mend the client." },
  internal: { status: 500, title: "The node failed on this request.", advice: "Look for `traceId` in the node's log." },
} as const satisfies Record<string, ProblemKind>;

export type ProblemName = keyof typeof problemKinds;

const TYPE_PREFIX = "urn:drover:problem:";

export function problemType(name: ProblemName): string {
  return `${TYPE_PREFIX}${name}`;
}
