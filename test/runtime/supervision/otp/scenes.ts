// The table: restart type x exit reason x strategy x phase, then intensity, failing restarts, auto-shutdown and nested supervisors.

import type { RestartType, Strategy } from "../../../../runtime/supervision/index.ts";
import { a, below, type How, type Scene, type SceneChild, type SceneSupervisor, type Step } from "./scene.ts";

const strategies: readonly Strategy[] = ["one-for-one", "rest-for-one", "one-for-all"];
const restarts: readonly RestartType[] = ["permanent", "transient", "temporary"];
const hows: readonly How[] = ["normal", "shutdown", "stopped", "failed", "killed"];

export const scenes: readonly Scene[] = [
  ...phases(),
  ...groups(),
  ...endsTogether(),
  ...failingRestarts(),
  ...intensities(),
  ...deadlines(),
  ...brutalKills(),
  ...finiteSupervisors(),
  ...autoShutdowns(),
  ...nested(),
  ...requests(),
  ...requestedRestarts(),
];

function scene(name: string, more: Partial<SceneSupervisor>, children: readonly (SceneChild | SceneSupervisor)[], steps: readonly Step[]): Scene {
  return { name, root: below("root", more, children), steps };
}

/** Three children; the middle one is of the type in question. */
function phases(): readonly Scene[] {
  return strategies.flatMap((strategy) =>
    restarts.flatMap((restart) => {
      const of = (phase: string, how: string, steps: readonly Step[]): Scene =>
        scene(`${phase}: ${strategy}, ${restart}${how === "" ? "" : `, ${how}`}`, { strategy }, [a("a"), a("b", restart), a("c")], steps);
      return [
        of("starting, it cannot start", "", [["fail-starts", "b", 1], ["start"]]),
        ...hows.flatMap((how) => [
          of("running", how, [["start"], ["end", "b", how]]),
          of("starting, it ends while the next one starts", how, [["hold-start", "c"], ["start"], ["end", "b", how], ["release", "c"]]),
          of("stopping, it ends while the one after it stops", how, [["start"], ["hold-stop", "c"], ["stop"], ["end", "b", how], ["release", "c"]]),
          of("a stop races its restart", how, [["start"], ["hold-start", "b"], ["end", "b", how], ["stop"], ["release", "b"]]),
        ]),
      ];
    }),
  );
}

/** Who goes down and comes back with a sibling. */
function groups(): readonly Scene[] {
  return strategies.flatMap((strategy) => [
    ...restarts.flatMap((restart) =>
      hows.map((how) =>
        scene(
          `group: ${strategy}, a ${restart} sibling that ended ${how} before`,
          { strategy, intensity: 9 },
          [a("a"), a("b"), a("c", restart)],
          [["start"], ["end", "c", how], ["end", "b", "failed"]],
        ),
      ),
    ),
    scene(
      `group: ${strategy}, siblings of all types run`,
      { strategy },
      [a("a", "temporary"), a("b"), a("c", "transient"), a("d", "temporary")],
      [["start"], ["end", "b", "failed"]],
    ),
    scene(`group: ${strategy}, the last one ends`, { strategy }, [a("a"), a("b"), a("c")], [["start"], ["end", "c", "failed"]]),
    scene(
      `group: ${strategy}, a stop while its siblings go down`,
      { strategy },
      [a("a"), a("b"), a("c")],
      [["start"], ["hold-stop", "c"], ["end", "a", "failed"], ["stop"], ["release", "c"]],
    ),
    scene(
      `group: ${strategy}, an earlier one ends while a later one is started again`,
      { strategy },
      [a("a"), a("b"), a("c")],
      [["start"], ["hold-start", "c"], ["end", "c", "failed"], ["end", "a", "failed"], ["release", "c"]],
    ),
  ]);
}

/** Two of three end before their supervisor has heard of either; one restart is allowed. */
function endsTogether(): readonly Scene[] {
  return strategies.flatMap((strategy) =>
    restarts.flatMap((restart) =>
      (["normal", "failed", "killed"] as const).flatMap((how) => [
        scene(
          `together: ${strategy}, a later one that is ${restart} ends ${how} with it`,
          { strategy, intensity: 1 },
          [a("a"), a("b"), a("c", restart)],
          [["start"], ["end-both", "a", "failed", "c", how]],
        ),
        scene(
          `together: ${strategy}, an earlier one that is ${restart} ends ${how} after it`,
          { strategy, intensity: 1 },
          [a("a", restart), a("b"), a("c")],
          [["start"], ["end-both", "c", "failed", "a", how]],
        ),
      ]),
    ),
  );
}

function failingRestarts(): readonly Scene[] {
  return strategies.flatMap((strategy) => [
    ...(["permanent", "transient"] as const).flatMap((restart) =>
      [1, 2, 3].map((count) =>
        scene(
          `failing restart: ${strategy}, ${restart}, ${String(count)} of 3 allowed`,
          { strategy, intensity: 3 },
          [a("a"), a("b", restart), a("c")],
          [["start"], ["fail-starts", "b", count], ["end", "b", "failed"]],
        ),
      ),
    ),
    scene(`failing restart: ${strategy}, a sibling that was taken along`, { strategy }, [a("a"), a("b"), a("c")], [["start"], ["fail-starts", "c", 1], ["end", "a", "failed"]]),
    scene(
      `failing restart: ${strategy}, a sibling that was taken along uses up the intensity`,
      { strategy, intensity: 1 },
      [a("a"), a("b"), a("c")],
      [["start"], ["fail-starts", "b", 2], ["end", "a", "failed"]],
    ),
  ]);
}

function intensities(): readonly Scene[] {
  const crash = (id: string, times: number): readonly Step[] => Array.from({ length: times }, () => ["end", id, "failed"] as const);
  return strategies.flatMap((strategy) => {
    const of = (name: string, intensity: number, steps: readonly Step[]): Scene =>
      scene(`intensity: ${strategy}, ${name}`, { strategy, intensity, periodSeconds: 2 }, [a("a"), a("b"), a("c", "transient")], [["start"], ...steps]);
    return [
      scene(
        `intensity: ${strategy}, used up while the supervisor starts`,
        { strategy, intensity: 0 },
        [a("a"), a("b"), a("c")],
        [["hold-start", "c"], ["start"], ["end", "b", "failed"], ["release", "c"]],
      ),
      of("none allowed, none happens", 0, [["end", "c", "normal"]]),
      of("none allowed, one happens", 0, crash("b", 1)),
      of("exactly as many as allowed", 2, crash("b", 2)),
      of("one more than allowed", 2, crash("b", 3)),
      of("the restarts of all children count together", 2, [...crash("a", 1), ...crash("b", 1), ...crash("c", 1)]),
      of("an end that is not restarted does not count", 1, [...crash("b", 1), ["end", "c", "normal"]]),
      of("one that lies exactly a period back still counts", 1, [...crash("b", 1), ["advance", 2], ...crash("b", 1)]),
      of("one that lies more than a period back does not", 1, [...crash("b", 1), ["advance", 3], ...crash("b", 1)]),
      of("the window slides: at most two in any two seconds", 2, [...crash("b", 2), ["advance", 3], ...crash("b", 1), ["advance", 1], ...crash("b", 1)]),
      of("the window slides: two, then two more before the first have left it", 2, [...crash("b", 1), ["advance", 1], ...crash("b", 1), ["advance", 1], ...crash("b", 1)]),
    ];
  });
}

function deadlines(): readonly Scene[] {
  return strategies.flatMap((strategy) => [
    scene(
      `deadline: ${strategy}, one that does not stop is killed`,
      { strategy },
      [a("a"), a("b", "permanent", { shutdownMs: 600 }), a("c")],
      [["start"], ["hold-stop", "b"], ["stop"], ["advance", 1]],
    ),
    scene(
      `deadline: ${strategy}, a sibling that does not stop for a restart is killed`,
      { strategy },
      [a("a"), a("b"), a("c", "permanent", { shutdownMs: 600 })],
      [["start"], ["hold-stop", "c"], ["end", "b", "failed"], ["advance", 1]],
    ),
  ]);
}

/** OTP's `brutal_kill` (shutdownMs 0): killed without being asked. */
function brutalKills(): readonly Scene[] {
  const brutal = { shutdownMs: 0 };
  return [
    ...strategies.flatMap((strategy) => [
      scene(`brutal kill: ${strategy}, a stop`, { strategy }, [a("a", "permanent", brutal), a("b"), a("c", "permanent", brutal)], [["start"], ["stop"]]),
      scene(`brutal kill: ${strategy}, even one that would not stop`, { strategy }, [a("a"), a("b", "permanent", brutal)], [["start"], ["hold-stop", "b"], ["stop"]]),
      ...restarts.map((restart) =>
        scene(`brutal kill: ${strategy}, a ${restart} sibling is taken along`, { strategy }, [a("a"), a("b"), a("c", restart, brutal)], [["start"], ["end", "b", "failed"]]),
      ),
      scene(`brutal kill: ${strategy}, its own end is restarted as any other`, { strategy }, [a("a"), a("b", "permanent", brutal), a("c")], [["start"], ["end", "b", "failed"]]),
      scene(
        `brutal kill: ${strategy}, the budget is used up`,
        { strategy, intensity: 0 },
        [a("a", "permanent", brutal), a("b"), a("c", "permanent", brutal)],
        [["start"], ["end", "b", "failed"]],
      ),
    ]),
    scene("brutal kill: removed by request", {}, [a("a"), a("b", "permanent", brutal)], [["start"], ["remove", "b"]]),
    scene("brutal kill: restarted by request", {}, [a("a"), a("b", "permanent", brutal)], [["start"], ["restart", "b"]]),
  ];
}

/** A supervisor that has not stopped in time is killed. */
function finiteSupervisors(): readonly Scene[] {
  return strategies.flatMap((strategy) => {
    const tree = [a("a"), below("inner", { shutdownMs: 600 }, [a("b"), a("c")]), a("d")];
    return [
      scene(`finite supervisor: ${strategy}, it stops in time`, { strategy }, tree, [["start"], ["stop"]]),
      scene(`finite supervisor: ${strategy}, it stops in time at last`, { strategy }, tree, [["start"], ["hold-stop", "c"], ["stop"], ["release", "c"]]),
      scene(`finite supervisor: ${strategy}, it stops in time for a restart`, { strategy }, tree, [["start"], ["end", "a", "failed"]]),
      scene(`finite supervisor: ${strategy}, a child of it does not stop`, { strategy }, tree, [["start"], ["hold-stop", "c"], ["stop"], ["advance", 1]]),
      scene(`finite supervisor: ${strategy}, a child of it does not stop for a restart`, { strategy }, tree, [
        ["start"],
        ["hold-stop", "c"],
        ["end", "a", "failed"],
        ["advance", 1],
      ]),
    ];
  });
}

function autoShutdowns(): readonly Scene[] {
  const significant = { significant: true };
  return strategies.flatMap((strategy) => [
    ...(["any-significant", "all-significant"] as const).flatMap((autoShutdown) =>
      (["transient", "temporary"] as const).flatMap((restart) => [
        ...hows.flatMap((how) => [
          scene(`${autoShutdown}: ${strategy}, ${restart}, ${how}`, { strategy, autoShutdown }, [a("a"), a("b", restart, significant), a("c")], [["start"], ["end", "b", how]]),
          scene(
            `${autoShutdown}: ${strategy}, two of them, ${restart}, ${how}`,
            { strategy, autoShutdown },
            [a("a", restart, significant), a("b"), a("c", restart, significant)],
            [["start"], ["end", "a", how], ["end", "c", how]],
          ),
          scene(
            `${autoShutdown}: ${strategy}, ${restart}, ${how} while the next one starts`,
            { strategy, autoShutdown },
            [a("a"), a("b", restart, significant), a("c")],
            [["hold-start", "c"], ["start"], ["end", "b", how], ["release", "c"]],
          ),
        ]),
        scene(
          `${autoShutdown}: ${strategy}, ${restart}, taken along by its group`,
          { strategy, autoShutdown },
          [a("a"), a("b"), a("c", restart, significant)],
          [["start"], ["end", "b", "failed"]],
        ),
        scene(
          `${autoShutdown}: ${strategy}, ${restart}, not significant`,
          { strategy, autoShutdown },
          [a("a"), a("b", restart), a("c", "transient", significant)],
          [["start"], ["end", "b", "normal"]],
        ),
        scene(`${autoShutdown}: ${strategy}, ${restart}, a stop of the supervisor`, { strategy, autoShutdown }, [a("a"), a("b", restart, significant)], [["start"], ["stop"]]),
      ]),
    ),
    ...(strategy === "one-for-one"
      ? [
          scene("any-significant: removed by request", { autoShutdown: "any-significant" }, [a("a"), a("b", "transient", significant)], [["start"], ["remove", "b"]]),
          scene("any-significant: restarted by request", { autoShutdown: "any-significant" }, [a("a"), a("b", "transient", significant)], [["start"], ["restart", "b"]]),
        ]
      : []),
  ]);
}

function nested(): readonly Scene[] {
  return strategies.flatMap((strategy) => [
    ...restarts.flatMap((restart) => [
      scene(
        `nested: ${strategy}, a ${restart} supervisor gives up`,
        { strategy },
        [a("a"), below("inner", { restart, intensity: 0 }, [a("b"), a("c")]), a("d")],
        [["start"], ["end", "b", "failed"]],
      ),
      scene(
        `nested: ${strategy}, a ${restart} supervisor shuts down by itself`,
        { strategy },
        [a("a"), below("inner", { restart, autoShutdown: "any-significant" }, [a("b", "transient", { significant: true }), a("c")]), a("d")],
        [["start"], ["end", "b", "normal"]],
      ),
      scene(
        `nested: ${strategy}, a child of a ${restart} supervisor cannot start`,
        { strategy },
        [a("a"), below("inner", { restart }, [a("b"), a("c")]), a("d")],
        [["fail-starts", "c", 1], ["start"]],
      ),
    ]),
    scene(
      `nested: ${strategy}, a child that was added when its supervisor is restarted`,
      { strategy },
      [a("a"), below("inner", { intensity: 0 }, [a("b")])],
      [["start"], ["add", "d"], ["end", "b", "failed"]],
    ),
    scene(
      `nested: ${strategy}, the budgets multiply`,
      { strategy, intensity: 1 },
      [a("a"), below("inner", { intensity: 1 }, [a("b")])],
      [["start"], ...Array.from({ length: 4 }, () => ["end", "b", "failed"] as const)],
    ),
    scene(
      `nested: ${strategy}, its budget is used up while the supervisor starts`,
      { strategy },
      [a("a"), below("inner", { strategy, intensity: 0 }, [a("b"), a("c")]), a("d")],
      [["hold-start", "c"], ["start"], ["end", "b", "failed"], ["release", "c"]],
    ),
    scene(
      `nested: ${strategy}, its restart fails`,
      { strategy },
      [a("a"), below("inner", { intensity: 0 }, [a("b"), a("c")])],
      [["start"], ["fail-starts", "c", 1], ["end", "b", "failed"]],
    ),
    scene(`nested: ${strategy}, all stop in reverse order`, { strategy }, [a("a"), below("inner", { strategy: "one-for-all" }, [a("b"), a("c")]), a("d")], [["start"], ["stop"]]),
  ]);
}

/** Requests of somebody who waits for the answer, while the supervisor is busy: in OTP each waits in its mailbox. Not of two for one child where both are two calls of OTP's, which may cross. */
function requests(): readonly Scene[] {
  const ask = (request: "add" | "remove" | "restart", id: string, of = "root"): Step => ["ask", request, id, of];
  const three = [a("a"), a("b"), a("c")];
  const inner = (more: Partial<SceneSupervisor> = {}): SceneSupervisor => below("inner", { intensity: 0, ...more }, [a("b"), a("c")]);
  const starting = (name: string, ...asked: readonly Step[]): Scene =>
    scene(`request while the supervisor starts: ${name}`, {}, three, [["hold-start", "b"], ["start"], ...asked, ["release", "b"]]);
  const restarting = (name: string, ...asked: readonly Step[]): Scene =>
    scene(`request while a child is started again: ${name}`, {}, three, [["start"], ["hold-start", "b"], ["end", "b", "failed"], ...asked, ["release", "b"]]);
  const stopping = (name: string, ...asked: readonly Step[]): Scene =>
    scene(`request while the supervisor stops: ${name}`, {}, three, [["start"], ["hold-stop", "c"], ["stop"], ...asked, ["release", "c"]]);
  return [
    starting("add", ask("add", "d")),
    starting("add one that cannot start", ["fail-starts", "d", 1], ask("add", "d")),
    starting("add one that runs", ask("add", "a")),
    starting("add one that is to start", ask("add", "c")),
    starting("add two, in this order", ask("add", "e"), ask("add", "d")),
    starting("add the same twice", ask("add", "d"), ask("add", "d")),
    starting("add, then remove it", ask("add", "d"), ask("remove", "d")),
    starting("add, then restart it", ask("add", "d"), ask("restart", "d")),
    starting("restart one that runs", ask("restart", "a")),
    starting("restart the one that starts", ask("restart", "b")),
    starting("restart one that is to start", ask("restart", "c")),
    starting("restart one that is not there", ask("restart", "d")),
    starting("remove one that runs", ask("remove", "a")),
    starting("remove the one that starts", ask("remove", "b")),
    starting("remove one that is to start", ask("remove", "c")),
    starting("remove one that is not there", ask("remove", "d")),
    starting("the start fails", ["fail-starts", "b", 1], ask("add", "d"), ask("restart", "a")),
    scene("request: its budget is used up while the supervisor starts", { intensity: 0 }, three, [
      ["hold-start", "c"],
      ["start"],
      ["end", "b", "failed"],
      ask("add", "d"),
      ["release", "c"],
    ]),
    scene(
      "request while the supervisor starts: a significant child ends",
      { autoShutdown: "any-significant" },
      [a("a", "transient", { significant: true }), a("b")],
      [["hold-start", "b"], ["start"], ["end", "a", "normal"], ask("add", "d"), ["release", "b"]],
    ),
    scene("request while a nested supervisor starts: add", {}, [a("a"), inner()], [["hold-start", "b"], ["start"], ask("add", "e", "inner"), ["release", "b"]]),
    scene("request while a nested supervisor starts: add below the root", {}, [a("a"), inner(), a("d")], [["hold-start", "b"], ["start"], ask("add", "e"), ["release", "b"]]),
    scene("request before a nested supervisor starts: add", {}, [a("a"), inner()], [["hold-start", "a"], ["start"], ask("add", "e", "inner"), ["release", "a"]]),
    scene(
      "request while a nested supervisor is started again: add",
      {},
      [a("a"), inner()],
      [["start"], ["hold-start", "b"], ["end", "c", "failed"], ask("add", "e", "inner"), ["release", "b"]],
    ),
    scene(
      "request while a nested supervisor is started again: restart",
      {},
      [a("a"), inner()],
      [["start"], ["hold-start", "b"], ["end", "c", "failed"], ask("restart", "c", "inner"), ["release", "b"]],
    ),
    scene(
      "request while a nested supervisor is started again: it cannot start",
      { intensity: 1 },
      [a("a"), inner()],
      [["start"], ["hold-start", "b"], ["end", "c", "failed"], ["fail-starts", "b", 1], ask("add", "e", "inner"), ["release", "b"]],
    ),
    restarting("add", ask("add", "d")),
    restarting("restart another", ask("restart", "a")),
    restarting("restart it", ask("restart", "b")),
    restarting("remove another", ask("remove", "a")),
    restarting("remove it", ask("remove", "b")),
    stopping("add", ask("add", "d")),
    stopping("restart one that runs", ask("restart", "a")),
    stopping("restart the one that stops", ask("restart", "c")),
    scene("request when the supervisor has ended: add", {}, three, [["start"], ["stop"], ask("add", "d")]),
    scene("request when the supervisor has ended: restart", {}, three, [["start"], ["stop"], ask("restart", "a")]),
    scene("request when the supervisor has ended: add one that was there", {}, three, [["start"], ["stop"], ask("add", "a")]),
    scene("request when the supervisor has ended: restart one that was not there", {}, three, [["start"], ["stop"], ask("restart", "d")]),
    scene("request when the supervisor has ended: remove", {}, three, [["start"], ["stop"], ask("remove", "a")]),
    scene("request when the supervisor has ended: remove one that was not there", {}, three, [["start"], ["stop"], ask("remove", "d")]),
    scene("request when the supervisor could not start: add", {}, three, [["fail-starts", "b", 1], ["start"], ask("add", "d")]),
    scene("request before the supervisor is started: add", {}, three, [ask("add", "d"), ["start"]]),
  ];
}

/** A restart that is asked for while nothing else happens: its start fails, or the child is temporary or had ended. */
function requestedRestarts(): readonly Scene[] {
  const asked: Step = ["ask", "restart", "b", "root"];
  const fails: Step = ["fail-starts", "b", 1];
  return [0, 1].flatMap((intensity) => [
    ...strategies.flatMap((strategy) =>
      (["permanent", "transient"] as const).flatMap((restart) => {
        const of = (name: string, ...steps: readonly Step[]): Scene =>
          scene(
            `requested restart: ${strategy}, ${restart}, intensity ${String(intensity)}, ${name}`,
            { strategy, intensity },
            [a("a"), a("b", restart), a("c")],
            [["start"], ...steps],
          );
        return [
          of("it cannot start", fails, asked),
          of("it cannot start, and can when asked again", fails, asked, asked),
          ...(strategy === "one-for-one" ? [of("it cannot start, and is removed", fails, asked, ["ask", "remove", "b", "root"])] : []),
          of("it cannot start, then a sibling fails", fails, asked, ["end", "a", "failed"]),
          of("it cannot start, then all stop", fails, asked, ["stop"]),
          of("it runs again, then fails", asked, ["end", "b", "failed"]),
        ];
      }),
    ),
    ...(["any-significant", "all-significant"] as const).map((autoShutdown) =>
      scene(
        `requested restart: one-for-one, ${autoShutdown}, intensity ${String(intensity)}, it cannot start`,
        { autoShutdown, intensity },
        [a("a"), a("b", "transient", { significant: true })],
        [["start"], fails, asked],
      ),
    ),
    scene(
      `requested restart: one-for-one, a supervisor, intensity ${String(intensity)}, a child of it cannot start`,
      { intensity },
      [a("a"), below("inner", {}, [a("b")])],
      [["start"], fails, ["ask", "restart", "inner", "root"], ["ask", "restart", "inner", "root"]],
    ),
    scene(`requested restart of a temporary child, intensity ${String(intensity)}`, { intensity }, [a("a"), a("b", "temporary")], [["start"], asked]),
    scene(`requested restart of a temporary child, intensity ${String(intensity)}, it cannot start`, { intensity }, [a("a"), a("b", "temporary")], [["start"], fails, asked]),
  ]);
}
