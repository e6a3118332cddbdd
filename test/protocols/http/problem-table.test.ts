// The table of problems for readers is the table of the code.

import { test } from "tap";
import { type ProblemKind, problemKinds, type ProblemName, problemType } from "../../../protocols/http/index.ts";
import { golden } from "../../project/golden.ts";

test("the table of problems for readers is the code's; a type keeps its name", (t) => {
  const rows = Object.entries(problemKinds).map(
    ([name, { status, title, advice }]: [string, ProblemKind]) => `| \`${problemType(name as ProblemName)}\` | ${String(status)} | ${title} | ${advice} |`,
  );
  const text = [
    "# Problems",
    "",
    "Every answer of the API that is no success is a problem (RFC 9457) of one of these types. This table is written from `problem-kinds.ts` by a test.",
    "",
    "| type | status | what happened | what to do |",
    "|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
  golden(t, "protocols/http/problems.md", text, "a problem's type and status are part of the API");
  t.end();
});
