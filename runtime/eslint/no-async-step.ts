// Rule `drover/no-async-step`: a guard, an assign or a delay that returns a promise is a fault when it is run (DROVER_STEP_PROMISE); here it is seen before.

import { StepCode } from "./step-code.ts";
import type { Rule, RuleContext, SyntaxNode } from "./syntax-tree.ts";

export const noAsyncStep: Rule = {
  meta: {
    type: "problem",
    docs: { description: "What is run while a machine is stepped must not be async." },
    schema: [],
    messages: { promise: "{{what}} is run while a machine is stepped and returns a promise, for which nothing waits; move the work into a task or a source." },
  },
  create(given: never) {
    const context = given as RuleContext;
    const code = new StepCode(context);
    return {
      ":function": (node: SyntaxNode) => {
        code.note(node);
      },
      "Program:exit": (program: SyntaxNode) => {
        for (const node of code.stepped(program)) if (node["async"] === true) context.report({ node: node as never, messageId: "promise", data: { what: "This async function" } });
      },
    };
  },
};
