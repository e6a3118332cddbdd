// A plan as it is written on this machine: YAML or JSON, its images named by file, by hash, or by both.
//
// F1. `file` of an image counts from the plan's folder. The hash is taken from the bytes; where the plan names one too, the two are compared before anything is sent.
// F2. All that is wrong with it is told at once, each with file, line and column.

import { dirname, resolve } from "node:path";
import { CheckedFile, ProblemList } from "../../actors/vehicle-file/index.ts";
import { type PlanFile, planSchema } from "../../actors/index.ts";
import { T } from "../../runtime/index.ts";
import { readPlainText } from "../../runtime/host/index.ts";
import { DroverError } from "../../runtime/ports/index.ts";
import { formatProblem, type Problem } from "../../runtime/shape/index.ts";
import { readImage, sha256Of } from "../images/index.ts";
import { type Call, CommandFailure, EXIT } from "../terminal/index.ts";

export interface ImageFile {
  /** As the plan names it. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

export interface WrittenPlan {
  /** As the cloud takes it. */
  readonly plan: PlanFile;
  /** Of each image of the plan, in its order. */
  readonly files: readonly (ImageFile | undefined)[];
  /** @param pointer e.g. `/images/0/sha256` */
  readonly located: (pointer: string, complaint: { readonly message: string; readonly expected?: string | undefined }) => Problem;
}

const closed = { additionalProperties: false } as const;
const { images, ...others } = planSchema.properties;
const { sha256, ...image } = images.items.properties;

const writtenSchema = T.Object(
  {
    ...others,
    images: T.Array(
      T.Object(
        { ...image, sha256: T.Optional(sha256), file: T.Optional(T.String({ minLength: 1, maxLength: 4_096, title: "the path of a file, from the plan's folder" })) },
        closed,
      ),
      { minItems: 1, maxItems: 256 },
    ),
  },
  closed,
);

type Written = Omit<PlanFile, "images"> & {
  readonly images: readonly (Omit<PlanFile["images"][number], "sha256"> & { readonly sha256?: string; readonly file?: string })[];
};

/** @throws CommandFailure with every problem; DROVER_FILE_UNREADABLE where the plan itself cannot be read */
export function readPlan(file: string, call: Pick<Call, "json">): WrittenPlan {
  const problems = new ProblemList();
  const checked = new CheckedFile(file, readPlainText(file, "a plan in YAML or JSON"), problems);
  const written = checked.read(writtenSchema) as Written;
  if (!problems.isEmpty) throw planFailure(problems.list(), call);
  const files = written.images.map(({ file: path, sha256: announced }, index) => {
    const at = ["images", String(index)];
    if (path === undefined) {
      if (announced === undefined) checked.complain(at, { message: "it names no bytes", expected: "`file`, `sha256`, or both" });
      return undefined;
    }
    try {
      const bytes = readImage(resolve(dirname(file), path));
      const own = sha256Of(bytes);
      if (bytes.length === 0) checked.complain([...at, "file"], { message: `${path} is empty`, expected: "an image of a module's firmware" });
      if (announced !== undefined && announced !== own) checked.complain([...at, "sha256"], { message: `${path} has another sha256`, expected: own });
      return { file: path, bytes, sha256: own };
    } catch (thrown) {
      if (!(thrown instanceof DroverError)) throw thrown;
      checked.complain([...at, "file"], { message: thrown.message });
      return undefined;
    }
  });
  if (problems.list().length > 0) throw planFailure(problems.list(), call);
  const planned = written.images.map(({ file: _file, ...rest }, index) => ({ ...rest, sha256: files[index]?.sha256 ?? rest.sha256 ?? "" }));
  return {
    plan: { ...written, images: planned },
    files,
    located: (pointer, complaint) => {
      const one = new ProblemList();
      const path = pointer.split("/").slice(1);
      new CheckedFile(file, readPlainText(file, "a plan in YAML or JSON"), one).complain(path, complaint);
      return one.list()[0] ?? { file, line: 1, column: 1, path: path.join("."), message: complaint.message };
    },
  };
}

/** For a person a line each; for a program their members too. */
export function planFailure(problems: readonly Problem[], call: Pick<Call, "json">, told: Partial<CommandFailure["failure"]> = {}): CommandFailure {
  return new CommandFailure({
    code: "rollout-plan-invalid",
    title: "The plan is not valid.",
    detail: problems.map(formatProblem).join("\n"),
    advice: "Mend what is named; nothing was sent and nothing was made.",
    exit: EXIT.invalid,
    ...(call.json ? { more: { problems } } : {}),
    ...told,
  });
}
