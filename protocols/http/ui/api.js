// The API as the page uses it: by session cookie, on the same origin. A problem is thrown as one.

export class Problem extends Error {
  constructor(status, body) {
    super(body.detail ?? body.title ?? `status ${status}`);
    this.status = status;
    this.body = body;
    /** Last part of the problem's type. */
    this.kind = String(body.type ?? "")
      .split(":")
      .at(-1);
  }
}

/** An answer is awaited this long; the longest ask waits shorter. */
const PATIENCE_MS = 65_000;

export async function call(method, path, body, headers = {}) {
  const response = await fetch(path, {
    method,
    headers: { accept: "application/json", ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const answer = response.status === 204 ? {} : await response.json().catch(() => ({}));
  if (!response.ok) throw new Problem(response.status, answer);
  return answer;
}

export const get = (path) => call("GET", path);

/**
 * Posts, each time under a key of its own. What was sent without a known outcome and is sent again as it was has the same key, so that it never acts twice.
 */
export function sender() {
  let open;
  return async (path, body) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const key = open?.path === path && open.text === text ? open.key : newKey();
    open = { path, text, key };
    try {
      const answer = await call("POST", path, text, { "idempotency-key": key });
      open = undefined;
      return answer;
    } catch (error) {
      if (error instanceof Problem && error.kind !== "outcome-unknown") open = undefined;
      throw error;
    }
  };
}

/** What a person is told of what a `sender` has thrown. */
export function sendProblem(error) {
  if (!(error instanceof Problem)) return "No answer came. Send it again: the same key is used, and it acts once.";
  return `${error.body.title}\n${error.body.detail}\n${error.body.advice}`;
}

export function actorPath(address, rest = "") {
  return `/v1/actors/${encodeURIComponent(address)}${rest}`;
}

/** A message's id: the same one gives the same outcome, however often it is sent. */
function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
