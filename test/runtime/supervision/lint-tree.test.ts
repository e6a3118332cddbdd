// What a tree says about itself before it runs.

import { test } from "tap";

import { hosted, lintTree, supervisor, type ChildOptions, type ChildSpec, type SupervisorFlags, type SupervisorSpec } from "../../../runtime/supervision/index.ts";

const startable = { start: () => Promise.reject(new Error("a tree that is read is not started")) };
const leaf = (id: string, options: ChildOptions<never, never> = {}): ChildSpec => hosted(id, startable, { shutdownMs: 1_000, ...options });
const one = (id: string, flags: Partial<SupervisorFlags>, children: readonly ChildSpec[]): SupervisorSpec => supervisor(id, { strategy: "one-for-one", ...flags }, children);

const starts = (spec: SupervisorSpec) => Object.fromEntries(lintTree(spec).budgets.map((budget) => [budget.path, budget.starts]));
const findings = (spec: SupervisorSpec, limits = {}) => lintTree(spec, limits).findings.map(({ severity, rule, path }) => `${severity} ${rule} ${path}`);

test("G1. intensities multiply down the tree, as far as a supervisor that gave up is restarted", (t) => {
  t.strictSame(
    starts(
      one("r", { intensity: 2 }, [
        leaf("a"),
        leaf("t", { restart: "temporary" }),
        one("p", { intensity: 3 }, [leaf("a"), leaf("t", { restart: "temporary" })]),
        one("transient", { intensity: 3, restart: "transient" }, [leaf("a")]),
        one("temporary", { intensity: 3, restart: "temporary" }, [leaf("a", { restart: "transient" })]),
      ]),
    ),
    { "r/a": 3, "r/t": 1, "r/p/a": 12, "r/p/t": 3, "r/transient/a": 4, "r/temporary/a": 4 },
  );
  t.strictSame(
    starts(
      one("r", { backoff: { giveUpAfterMs: 1_000 } }, [
        leaf("a"),
        one("forever", { backoff: {} }, [leaf("a")]),
        one("degrades", { backoff: { giveUpAfterMs: 5, onGiveUp: "degrade" } }, [leaf("a")]),
      ]),
    ),
    { "r/a": "by-time", "r/forever/a": "unlimited", "r/degrades/a": "unlimited" },
  );
  t.strictSame(starts(one("r", {}, [leaf("a")])), { "r/a": 4 }, "the default intensity");
  // Each life of what stands above is a life of what was not to be restarted.
  const group = (strategy: SupervisorSpec["flags"]["strategy"], children: readonly ChildSpec[]): SupervisorSpec => one("r", { strategy, intensity: 20 }, children);
  const ending = (restart: "transient" | "temporary"): SupervisorSpec => one("e", { intensity: 9, restart }, [leaf("a", { restart: "transient" })]);
  t.match(starts(one("r", { intensity: 20 }, [one("p", { intensity: 0 }, [ending("transient"), leaf("s")])])), { "r/p/e/a": 210 });
  t.match(starts(one("r", { intensity: 20 }, [one("p", { intensity: 0 }, [ending("temporary"), leaf("s")])])), { "r/p/e/a": 210 });
  t.match(starts(group("one-for-all", [ending("transient"), leaf("s")])), { "r/e/a": 210 }, "begins with its group again");
  t.match(starts(group("one-for-all", [ending("transient"), leaf("s", { restart: "temporary" })])), { "r/e/a": 10 }, "its group does not");
  t.match(starts(group("one-for-all", [ending("transient")])), { "r/e/a": 10 }, "it has none");
  t.match(starts(group("one-for-all", [ending("temporary"), leaf("s")])), { "r/e/a": 10 }, "one that is gone stays so");
  t.match(starts(group("rest-for-one", [leaf("s"), ending("transient")])), { "r/e/a": 210 });
  t.match(starts(group("rest-for-one", [ending("transient"), leaf("s")])), { "r/e/a": 10 });
  t.end();
});

test("G1. a product past the limit is a warning", (t) => {
  const tree = one("r", { intensity: 9 }, [one("p", { intensity: 9 }, [leaf("a", { startMs: 1 })])]);
  t.strictSame(findings(tree), [], "exactly 100");
  t.strictSame(findings(tree, { maxStarts: 99 }), ["warning restart-product r/p/a"]);
  t.match(lintTree(one("r", { intensity: 10 }, [one("p", { intensity: 9 }, [leaf("a", { startMs: 1 })])])).findings, [
    { rule: "restart-product", detail: /110 times \(11 x 10\)/ },
  ]);
  t.end();
});

test("G2. a stop that is not stated, takes longer than a supervisor above has, or holds up the others for more than a minute", (t) => {
  t.strictSame(findings(one("r", {}, [hosted("a", startable)])), ["note shutdown-missing r/a"]);
  t.strictSame(findings(one("r", {}, [leaf("a", { shutdownMs: 60_000 }), leaf("b", { shutdownMs: 60_001 }), leaf("c", { shutdownMs: Number.POSITIVE_INFINITY })])), [
    "warning shutdown-too-long r/b",
    "warning shutdown-too-long r/c",
  ]);
  const nested = one("r", {}, [
    one("p", { shutdownMs: 2_000 }, [one("q", {}, [leaf("a", { shutdownMs: 2_001 })]), leaf("b", { shutdownMs: 2_000 })]),
    leaf("c", { shutdownMs: 3_000 }),
  ]);
  t.strictSame(findings(nested), ["note shutdown-too-long r/p", "warning shutdown-too-long r/p/q/a"]);
  t.match(lintTree(nested).findings[0]?.detail, /4\.001 s together, but "r\/p" has 2 s/);
  t.strictSame(findings(one("r", {}, [one("p", { shutdownMs: 9_000 }, [])]), { stopWithinMs: 4_000 }), ["warning shutdown-too-long r/p"]);
  t.strictSame(findings(one("r", {}, [leaf("a", { shutdownMs: 3_000 }), leaf("b", { shutdownMs: 3_000 })]), { stopWithinMs: 4_000 }), ["note shutdown-too-long r"]);
  t.strictSame(findings(one("r", {}, [hosted("a", startable)]), { stopWithinMs: 4_000 }), ["note shutdown-too-long r", "note shutdown-missing r/a"], "a default is no statement");
  t.end();
});

test("G3. a permanent child below a temporary supervisor", (t) => {
  const inner = one("p", { restart: "temporary" }, [leaf("a"), leaf("b", { restart: "transient" }), one("q", {}, [leaf("a")])]);
  t.strictSame(findings(one("r", {}, [inner])), ["warning permanent-under-temporary r/p/a", "warning permanent-under-temporary r/p/q"]);
  t.strictSame(findings(one("r", {}, [one("p", { restart: "transient" }, [leaf("a")])])), []);
  const between = one("p", { restart: "temporary" }, [one("q", { restart: "transient" }, [leaf("a"), leaf("b", { restart: "transient" })])]);
  t.strictSame(findings(one("r", {}, [between])), ["warning permanent-under-temporary r/p/q/a"], "a transient one between is gone too");
  t.match(lintTree(one("r", {}, [between])).findings, [{ detail: /"r\/p" above it is temporary/ }]);
  t.end();
});

test("G4, H14. a budget that can never be used up: a start that hangs as long as the period allows, a backoff that gives up more slowly than the period above", (t) => {
  t.strictSame(findings(one("r", { intensity: 3, periodMs: 30_000 }, [leaf("a", { startMs: 10_000 })])), [], "the defaults fit each other, borders included");
  t.strictSame(findings(one("r", { intensity: 3, periodMs: 30_000 }, [leaf("a", { startMs: 10_001 }), leaf("t", { startMs: 60_000, restart: "temporary" })])), [
    "warning budget-unreachable r/a",
  ]);
  t.strictSame(findings(one("r", { intensity: 0, periodMs: 1 }, [leaf("a", { startMs: 60_000 })])), [], "the first failure is enough");
  const slow = leaf("a", { startMs: 60_000 });
  t.strictSame(findings(one("r", {}, [one("p", { backoff: {} }, [slow])])), ["warning budget-unreachable r/p"], "a supervisor fails to start with its first child");
  t.strictSame(findings(one("r", {}, [one("p", { backoff: {}, startFailure: "retry" }, [slow])])), []);
  const six = { startMs: 6_000 };
  const three = [leaf("a", six), leaf("b", six), leaf("c", six)];
  const group = (strategy: SupervisorSpec["flags"]["strategy"], children: readonly ChildSpec[] = three): SupervisorSpec =>
    one("r", { strategy, intensity: 2, periodMs: 30_000 }, children);
  t.strictSame(findings(group("one-for-all")), ["note budget-unreachable r/c"], "a, b and c, twice: 36 s");
  t.match(lintTree(group("one-for-all")).findings, [{ detail: /all that starts before it takes its whole startMs, each restart takes 18 s/ }]);
  t.strictSame(findings(group("one-for-all", [leaf("a", six), leaf("b", { ...six, restart: "temporary" }), leaf("c", six)])), [], "what is temporary is not started again");
  t.strictSame(findings(group("rest-for-one")), [], "those before it go on");
  t.strictSame(findings(group("one-for-one")), []);
  t.strictSame(findings(group("one-for-one", [one("p", { intensity: 0 }, three)])), ["note budget-unreachable r/p"], "its children start one after the other");
  t.strictSame(findings(group("one-for-all", [leaf("a"), leaf("b"), leaf("c")])), [], "a default is no statement");
  t.strictSame(findings(group("one-for-one", [one("p", { startFailure: "retry", backoff: { giveUpAfterMs: 1_000 } }, three)])), [], "its start does not fail");
  t.strictSame(findings(one("r", {}, [one("p", { backoff: { giveUpAfterMs: 10_000 } }, [leaf("a")])])), []);
  t.strictSame(findings(one("r", {}, [one("p", { backoff: { giveUpAfterMs: 10_001 } }, [leaf("a")])])), ["warning budget-unreachable r/p"]);
  t.strictSame(findings(one("r", {}, [one("p", { backoff: { giveUpAfterMs: 10_001 }, restart: "transient" }, [leaf("a")])])), [], "its giving up is not restarted");
  t.end();
});

test("a tree that is nested without end is refused, not followed", (t) => {
  const children: ChildSpec[] = [];
  const endless = { kind: "supervisor", id: "r", flags: { strategy: "one-for-one" }, children } as const;
  children.push(endless);
  t.throws(() => lintTree(endless), { code: "DROVER_TREE_INVALID" });
  t.end();
});
