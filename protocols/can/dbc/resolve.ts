// Statements → database: comments, labels, attributes, float types and multiplexing are brought to the messages, signals and nodes they refer to.

import type { CanNode, Database } from "../model/index.ts";
import { attributeDefinitions } from "./attributes.ts";
import type { DiagnosticLog } from "./diagnostics.ts";
import { reportDuplicates } from "./findings.ts";
import { buildMessage, type MessageContext } from "./messages.ts";
import { gatherReferences } from "./references.ts";
import type { DbcSyntax } from "./syntax.ts";

export function resolveDatabase(syntax: DbcSyntax, log: DiagnosticLog, options: { readonly file: string | undefined; readonly strict: boolean }): Database {
  const definitions = attributeDefinitions(syntax);
  const { messages: references, nodes, nodeNames, network } = gatherReferences(syntax, definitions, log);
  const context: MessageContext = {
    definitions,
    nodeNames,
    log,
    strict: options.strict,
  };
  const messages = syntax.messages.map((message, index) => buildMessage(message, index, references.get(message), context));
  log.about = undefined;
  reportDuplicates(messages, log);
  return {
    file: options.file,
    version: syntax.version,
    nodes: syntax.nodes.map((name): CanNode => {
      const found = nodes.get(name);
      return { name: nodeNames.get(name) ?? name, comment: found?.comment, attributes: found?.attributes ?? new Map() };
    }),
    messages,
    valueTables: syntax.valueTables,
    attributeDefinitions: definitions,
    attributes: network.attributes,
    comment: network.comment,
    diagnostics: log.inOrder(),
    suppressedDiagnostics: log.suppressed,
  };
}
