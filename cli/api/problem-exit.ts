// Which exit code a problem of the API has: by its name, else by its status.

import { EXIT, type ExitCode } from "../terminal/index.ts";

const BY_NAME: Readonly<Record<string, ExitCode>> = {
  invalid: EXIT.invalid,
  refused: EXIT.conflict,
  "id-reused": EXIT.conflict,
  "no-such-actor": EXIT.notFound,
  "owner-away": EXIT.unreachable,
  deadline: EXIT.timeout,
  "too-old": EXIT.timeout,
  "outcome-unknown": EXIT.timeout,
  full: EXIT.failure,
  "not-stored": EXIT.failure,
  "query-invalid": EXIT.usage,
  "cursor-invalid": EXIT.usage,
  "address-invalid": EXIT.usage,
  "url-too-long": EXIT.usage,
  "too-many-failures": EXIT.auth,
  "not-ready": EXIT.unreachable,
  stopping: EXIT.unreachable,
  "too-many-streams": EXIT.unreachable,
};

export function exitOfProblem(name: string, status: number): ExitCode {
  if (Object.hasOwn(BY_NAME, name)) return BY_NAME[name] ?? EXIT.failure;
  if (status === 401 || status === 403) return EXIT.auth;
  if (status === 404 || status === 410) return EXIT.notFound;
  if (status === 409 || status === 412) return EXIT.conflict;
  if (status === 400 || status === 413 || status === 415 || status === 422) return EXIT.invalid;
  if (status === 502 || status === 503) return EXIT.unreachable;
  return status === 504 || status === 408 ? EXIT.timeout : EXIT.failure;
}
