// Draws the supervision trees of all nodes: what runs, how often it was started again, and why.
//
// T1. Of many nodes those in which all runs as it was started are a line each: what there is to see would be lost among them. One that is asked for by its name is drawn.

import { systemClock } from "../../runtime/host/index.ts";
import type { TreeNode } from "../../runtime/index.ts";
import { apiClient, type EndpointOptions } from "../api/index.ts";
import { ageText, type Call, CommandFailure, EXIT, type ExitCode, oneLine, paint, type Paint, printJson, printLines } from "../terminal/index.ts";

interface NodeTree {
  readonly node: string;
  /** Wall ms of the announcement: it is announced when it has changed. */
  readonly at: number;
  /** The node's, where it is known: `up`, `down`. */
  readonly state?: string;
  readonly tree: TreeNode;
}

const MANY_NODES = 8;

export async function showTree(options: EndpointOptions & { readonly node?: string }, call: Call): Promise<ExitCode> {
  const { body } = await apiClient(options, call).ask<{ readonly items: readonly NodeTree[] }>("/v1/tree");
  const items = body.items.filter(({ node }) => options.node === undefined || node === options.node);
  if (items.length === 0 && options.node !== undefined) {
    throw new CommandFailure({
      code: "no-such-node",
      title: "No node of this name has announced its tree.",
      detail: `"${options.node}"; there are ${body.items.map(({ node }) => node).join(", ") || "none"}`,
      advice: "See `drover nodes ls`.",
      exit: EXIT.notFound,
    });
  }
  if (call.json) printJson(call.out, { items });
  else {
    const isShort = (item: NodeTree): boolean => items.length > MANY_NODES && isQuiet(item.tree);
    printLines(
      call.out,
      items.flatMap((item) => (isShort(item) ? [inOneLine(item, call)] : drawNode(item, call))),
    );
    if (items.some(isShort)) call.err.write("drover tree --node NAME draws one that is a line here\n");
  }
  return EXIT.ok;
}

/** T1. */
function isQuiet({ state, restarts, lastExit, note, children }: TreeNode): boolean {
  return state === "running" && restarts === 0 && lastExit === undefined && note === undefined && children.every(isQuiet);
}

function inOneLine(item: NodeTree, call: Call): string {
  const { tree } = item;
  const { dim, good } = paint(call.hasColour);
  const count = (of: TreeNode): number => of.children.reduce((sum, child) => sum + 1 + count(child), 0);
  return `${head(item, call)}  ${good("running")}  ${dim(`all ${String(count(tree))} below it, none was started again`)}`;
}

function drawNode(item: NodeTree, call: Call): readonly string[] {
  return [head(item, call), ...drawTree(item.tree, "", "", systemClock.now(), paint(call.hasColour))];
}

function head({ node, at, state }: NodeTree, call: Call): string {
  const { bold, dim, bad } = paint(call.hasColour);
  const word = state === undefined ? "" : state === "down" ? `${bad(state)}, ` : `${oneLine(state)}, `;
  return `${bold(oneLine(node))}  ${word}${dim(`as announced ${ageText(systemClock.now() - at)} ago`)}`;
}

function drawTree(tree: TreeNode, first: string, rest: string, now: number, colours: Paint): readonly string[] {
  const lines = [`${first}${describe(tree, now, colours)}`];
  if (tree.lastExit !== undefined) {
    const { reason, error, at } = tree.lastExit;
    const bar = tree.children.length > 0 ? "│ " : "  ";
    lines.push(
      `${rest}${bar}${colours.notice(`last exit ${ageText(now - at)} ago: ${oneLine(reason)}${error === undefined || reason.includes(error) ? "" : `: ${oneLine(error)}`}`)}`,
    );
  }
  if (tree.note !== undefined) lines.push(`${rest}${tree.children.length > 0 ? "│ " : "  "}${colours.notice(oneLine(tree.note))}`);
  tree.children.forEach((child, index) => {
    const isLast = index === tree.children.length - 1;
    lines.push(...drawTree(child, `${rest}${isLast ? "└─ " : "├─ "}`, `${rest}${isLast ? "   " : "│  "}`, now, colours));
  });
  return lines;
}

function describe({ id, kind, strategy, state, restarts, since, pid, isolation }: TreeNode, now: number, colours: Paint): string {
  const colour = state === "running" ? colours.good : state === "failed" || state === "degraded" ? colours.bad : colours.notice;
  const particulars = [
    kind === "supervisor" ? (strategy ?? "") : kind,
    isolation === "process" && pid !== undefined ? `pid ${String(pid)}` : "",
    isolation === "thread" ? "thread" : "",
    restarts > 0 ? `${String(restarts)} ${restarts === 1 ? "restart" : "restarts"}` : "",
    ageText(now - since),
  ].filter((part) => part !== "");
  return `${oneLine(id)}  ${colour(state)}  ${colours.dim(particulars.join(", "))}`;
}
