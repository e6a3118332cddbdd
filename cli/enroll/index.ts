// `drover enroll`: makes the credential with which a vehicle's node may use this machine's embedded broker. Certificates and revocation come with enrolment proper.

import { join } from "node:path";
import { nodeCredential, type Reach, readCredentials } from "../../protocols/mqtt/index.ts";
import { addressProblem, NODE_NAME } from "../../runtime/index.ts";
import { dataFolder, writtenEndpoint } from "../api/index.ts";
import { type Call, CommandFailure, EXIT, type ExitCode, printJson, printLines } from "../terminal/index.ts";

export interface EnrollOptions {
  readonly data?: string;
  readonly node?: string;
}

/** Of an embedded broker whose configuration names no port. */
const DEFAULT_BROKER = "mqtt://127.0.0.1:1883";

/** @throws DROVER_BROKER_CREDENTIALS when a file is there and cannot be used */
export function enroll(vehicle: string, options: EnrollOptions, call: Call): ExitCode {
  const [tenant = "", kind, id = "", ...rest] = vehicle.split("/");
  if (addressProblem(vehicle) !== undefined || kind !== "vehicle" || rest.length > 0) {
    throw new CommandFailure({
      code: "usage",
      title: "This is no vehicle's address.",
      detail: `"${vehicle}"`,
      advice: "Write TENANT/vehicle/ID, e.g. acme/vehicle/my-car.",
      exit: EXIT.usage,
    });
  }
  const usual = `edge-${id}`;
  const node = options.node ?? usual;
  checkNodeName(node, options.node === undefined ? `The vehicle's id gives ${JSON.stringify(node)}; name its node with --node.` : `--node ${JSON.stringify(node.slice(0, 80))}`);
  const data = dataFolder(call.env, options.data);
  // Whole, since the line below goes into a file whose paths count from its own folder.
  const credentials = join(data, "credentials");
  const other = readCredentials(credentials).find((held) => held.node === node && !isOf(held.reach, tenant, id));
  if (other !== undefined) throw taken(node, vehicle, other.reach, `${tenant}-${id}`.slice(0, 64));
  nodeCredential(credentials, node, { kind: "vehicle", tenant, vehicle: id });
  const running = writtenEndpoint(data).broker;
  const broker = running ?? DEFAULT_BROKER;
  if (call.json) printJson(call.out, { vehicle, node, credentials, broker });
  else {
    if (running === undefined) call.err.write(`no cloud node runs on ${data}: ${broker} is where one listens whose configuration says nothing else\n`);
    printLines(call.out, [
      `${node} may use the broker for ${vehicle}. In its configuration:`,
      ...(node === usual ? [] : [`node: ${JSON.stringify(node)}`]),
      `uplink: { url: ${JSON.stringify(broker)}, credentials: ${JSON.stringify(credentials)} }`,
    ]);
  }
  return EXIT.ok;
}

function checkNodeName(node: string, detail: string): void {
  if (new RegExp(NODE_NAME.pattern).test(node)) return;
  throw new CommandFailure({ code: "usage", title: "This is no node's name.", detail, advice: `Write ${NODE_NAME.title}.`, exit: EXIT.usage });
}

function isOf(reach: Reach, tenant: string, vehicle: string): boolean {
  return reach.kind === "vehicle" && reach.tenant === tenant && reach.vehicle === vehicle;
}

function taken(node: string, vehicle: string, reach: Reach, free: string): CommandFailure {
  return new CommandFailure({
    code: "node-taken",
    title: "Another node has this name.",
    detail: `${node} is the node of ${reach.kind === "vehicle" ? `${reach.tenant}/vehicle/${reach.vehicle}` : "a cloud"}.`,
    advice: `Give this vehicle's node a name of its own: drover enroll ${vehicle} --node ${free}`,
    exit: EXIT.conflict,
  });
}
