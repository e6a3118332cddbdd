// Where Drover's supervisor does on purpose what OTP's does not. Everything else in the table is the same, event by event; and what comes of it all (which children run in the end,
// whether and how the supervisor ended, what who asked was told) is OTP's in every scene but those of D5, D9, D10 and D12.
//
// All but six come from the same place: an OTP supervisor is one process that waits while it starts or stops a child, so whatever happens meanwhile waits with it.
//
// D1. An end while a sibling starts or is about to (L4): a one-for-one supervisor restarts the ended child at once, or ends at once where the budget is used up; OTP when the
//     sibling is up. Both count two restarts.
// D2. An earlier child of a group ends while a later one starts or is about to (L4): that start is broken off and the group starts again from the earlier one, or the supervisor
//     ends; OTP lets the later one become ready and stops it then. Both count two restarts. (The other way round, and in one-for-all, the second end is none of its own: L5.)
// D3. A stop while a child is started again or its group goes down (L6, V3): the start is broken off and nothing is started any more; OTP finishes the restart and
//     stops everything then. A stop is prompt.
// D4. The budget is used up while the supervisor starts (V2): the start that is under way is broken off and the supervisor ends; OTP finishes the start and ends then.
// D5. A child that was added comes back when its supervisor is restarted (design, Supervision: dynamic children persist); OTP forgets it.
// D6. A supervisor that is killed after its finite shutdown takes along whatever still runs below it. In OTP it alone dies: a child that traps exits hears of that, and one that hangs
//     goes on for ever, beside its successor where there is one.
// D7. A request while a child is started again, and a removal while the supervisor starts (V5, V7): what is asked for other children goes on meanwhile, a restart joins the one that is
//     under way, a removal breaks off a start; OTP serves each when the present work is done. All other requests wait while the supervisor starts, as in OTP.
// D8. Who asks a supervisor that stops is told at once that it does not run (G1); in OTP when it has ended.
// D9. A removal breaks off the addition of its child (V5), and whoever asked for that is told `not-running`; in OTP it was started first.
// D10. A temporary child that is restarted by request is started again, as whoever asks for it means; in OTP it is forgotten when it stops, and there is no such child.
// D11. A requested restart takes along the siblings that go with the child's failure; in OTP it takes that child alone.
// D12. A removal that is asked of a supervisor that has ended takes the child off its list, so that it does not come back with the supervisor, and says so; in OTP there is no list any more.
//
// Not in the table, since OTP has no such thing: backoff instead of intensity, giving up by time, `degraded` (hosting H14: restart-rules.test.ts); a start that is
// watched by a deadline. Not in the table, since it always states both: Drover allows 3 restarts in 30 s by default, OTP 1 in 5 s (a link that fails twice at
// boot is no reason to take its siblings down). OTP counts in whole seconds, Drover in ms: the scenes keep to whole seconds.

import type { Scene } from "./scene.ts";

type Difference = "D1" | "D2" | "D3" | "D4" | "D5" | "D6" | "D7" | "D8" | "D9" | "D10" | "D11" | "D12";

/** Which one a scene may show; undefined: none. */
export function namedDifference({ name, root }: Scene): Difference | undefined {
  if (name.startsWith("a stop races its restart") || name.includes("a stop while its siblings go down")) return "D3";
  if (name.includes("used up while the supervisor starts")) return "D4";
  if (name.includes("a child that was added when its supervisor is restarted")) return "D5";
  if (name.startsWith("finite supervisor") && name.includes("does not stop")) return "D6";
  if (name.startsWith("request while a child is started again") || name.startsWith("request while the supervisor starts: remove")) return "D7";
  if (name.startsWith("request while the supervisor stops")) return "D8";
  if (name === "request while the supervisor starts: add, then remove it") return "D9";
  if (name.startsWith("request when the supervisor has ended: remove")) return "D12";
  if (name.startsWith("requested restart of a temporary child")) return "D10";
  if (/^requested restart: (rest-for-one|one-for-all)/.test(name)) return "D11";
  if (name.startsWith("together: one-for-one")) return "D1";
  if (name.startsWith("together: rest-for-one, an earlier one")) return "D2";
  if (/ while (the next|a later) one (starts|is started again)/.test(name)) return root.strategy === "one-for-one" ? "D1" : "D2";
  return undefined;
}

/** What a scene comes to, from its journal: how the supervisor ended, if it did, what who asked was told, and who runs at the end. */
export function resultOf(journal: string): string {
  const ends = journal.match(/\b(?:ended \w+|refused)\b/g) ?? [];
  const told = journal.match(/\btold [^,|]*[^,| ]/g) ?? [];
  return [...ends, ...told.sort(), journal.split(" | ").at(-1) ?? ""].join(", ");
}
