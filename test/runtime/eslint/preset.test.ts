// The preset with the real ESLint: what it reports in step code, and what it leaves alone.

import { Linter } from "eslint";
import { test } from "tap";
import tseslint from "typescript-eslint";

import drover from "../../../runtime/eslint/index.ts";

const machines: Linter.Config[] = [{ files: ["**/*.machine.ts", "**/*.machine.js"], ...drover.configs.recommended }];

const config: Linter.Config[] = [drover.configs.recommended, { languageOptions: { ecmaVersion: 2024, sourceType: "module" } }];

function found(code: string, more: Linter.Config[] = []): readonly string[] {
  return new Linter().verify(code, [...config, ...more]).map(({ ruleId, message, line }) => `${String(line)} ${ruleId ?? "fatal"}: ${message}`);
}

const guard = (expression: string): string => `import { setup } from "xstate";\nsetup({ guards: { is: ({ context, event }) => ${expression} } });`;

test("R2. plain arithmetic and the exact functions of Math are left alone in guards and assigns", (t) => {
  for (const name of ["abs", "min", "max", "floor", "ceil", "round", "trunc", "sign", "sqrt", "imul", "fround"]) t.same(found(guard(`Math.${name}(event.n) > 1`)), [], name);
  for (const plain of [
    "context.n * 2 + 1 - event.n / 3 % 4 > 0",
    "event.name < 'b'",
    "new Date(event.at).getUTCHours() === 3",
    "Date.UTC(2026, 1, 1) > event.at",
    "event.at instanceof Date",
    "[3, 1].sort((a, b) => a - b)[0] === 1",
    "JSON.stringify(context) === ''",
  ])
    t.same(found(guard(plain)), [], plain);
  t.end();
});

test("R2, H11. everything that may come out differently is reported in a guard, with advice", (t) => {
  const cases: Readonly<Record<string, RegExp>> = {
    "Math.sin(event.n) > 0": /Math\.sin .*engine versions/,
    "Math.pow(2, event.n) > 0": /Math\.pow /,
    "Math.random() > 0.5": /Math\.random .*random\(self\)/,
    "Math['cos'](1) > 0": /Math\.cos /,
    "Math[event.name](1) > 0": /Math\.\[…\] /,
    "globalThis.Math.tan(1) > 0": /Math\.tan |Math /,
    "event.n ** 2 > 4": /\*\* .*engine versions/,
    "new Intl.NumberFormat().format(1) === '1'": /Intl .*locale/,
    "event.n.toLocaleString() === '1'": /\.toLocaleString .*locale/,
    "event.name.toLocaleLowerCase() === 'a'": /\.toLocaleLowerCase /,
    "event.a.localeCompare(event.b) > 0": /\.localeCompare /,
    "Date.now() > 0": /Date\.now .*now\(self\)/,
    "new Date() > 0": /new Date\(\) .*now\(self\)/,
    "Date() === ''": /Date .*now\(self\)/,
    "Date.parse(event.at) > 0": /Date\.parse .*time zone/,
    "new Date('2026-01-01 10:00') > 0": /new Date\(text\) .*time zone/,
    "new Date(2026, 1, 1) > 0": /time zone/,
    "new Date(event.at).getHours() > 6": /\.getHours .*getUTC/,
    "performance.now() > 0": /performance /,
    "crypto.randomUUID() === ''": /crypto .*random\(self\)/,
    "!!setTimeout(() => 1, 1)": /setTimeout .*after/,
    "!!globalThis.setInterval(() => 1, 1)": /setInterval /,
    "!!fetch('/x')": /fetch .*task/,
    "process.env.HOME === ''": /process .*input/,
  };
  for (const [expression, message] of Object.entries(cases)) {
    const reports = found(guard(expression));
    t.equal(reports.length, 1, `${expression}: ${reports.join(" | ")}`);
    t.match(reports[0], /^2 drover\/pure-step: /, expression);
    t.match(reports[0], message, expression);
  }
  t.end();
});

test("H11. all code that is run in a step is found: by its place, by its name, and through the functions that it uses", (t) => {
  const from = `import { and, assign, createMachine, emit, enqueueActions, fromTransition, not, raise, sendTo, setup, spawnChild } from "xstate";\n`;
  for (const code of [
    "createMachine({ on: { GO: { guard: () => Date.now() > 0 } } })",
    "createMachine({ on: { GO: [{ guard: not(and([() => Date.now() > 0])) }] } })",
    "createMachine({ context: ({ input }) => ({ at: Date.now() }) })",
    "createMachine({ output: () => Date.now() })",
    "createMachine({ invoke: { src: 'x', input: () => ({ at: Date.now() }) } })",
    "createMachine({ entry: assign({ at: () => Date.now() }) })",
    "createMachine({ entry: assign(() => ({ at: Date.now() })) })",
    "createMachine({ entry: [raise(() => ({ type: 'A', at: Date.now() }), { delay: 1 })] })",
    "createMachine({ entry: raise({ type: 'A' }, { delay: () => Date.now() }) })",
    "createMachine({ entry: sendTo('a', () => ({ type: 'A', at: Date.now() })) })",
    "createMachine({ entry: emit(() => ({ type: 'A', at: Date.now() })) })",
    "createMachine({ entry: spawnChild('a', { id: 'a', input: () => Date.now() }) })",
    "createMachine({ entry: enqueueActions(({ enqueue }) => { if (Date.now() > 0) enqueue('a'); }) })",
    "createMachine({ entry: enqueueActions(({ enqueue }) => { enqueue.assign({ at: () => Date.now() }); }) })",
    "setup({ delays: { wait: () => Date.now() } })",
    "setup({ actions: { keep: assign({ at: () => Date.now() }) } })",
    "const made = setup({}); made.assign({ at: () => Date.now() })",
    "createMachine({}).provide({ guards: { is: () => Date.now() > 0 } })",
    "const isLate = () => Date.now() > 0; setup({ guards: { isLate } })",
    "function isLate() { return Date.now() > 0; } setup({ guards: { late: isLate } })",
    "const clock = () => Date.now(); const isLate = () => clock() > 0; createMachine({ on: { GO: { guard: isLate } } })",
    "fromTransition((state) => ({ at: Date.now() }), {})",
    "const now = Date.now; createMachine({ on: { GO: { guard: () => now() > 0 } } })",
    "const began = Date.now(); createMachine({ on: { GO: { guard: ({ event }) => event.at > began } } })",
    "const clock = { now: () => Date.now() }; createMachine({ on: { GO: { guard: () => clock.now() > 0 } } })",
    "const clock = { now() { return Date.now(); }, then: () => 1 }; setup({ guards: { late: clock.now } })",
    "class Clock { static now() { return Date.now(); } } createMachine({ on: { GO: { guard: () => Clock.now() > 0 } } })",
  ])
    t.match(found(from + code), [/Date\.now/], code);
  t.match(found(`import { reducer } from "drover/runtime"; reducer({ initial: () => ({}), step: () => ({ at: Date.now() }) })`), [/Date\.now/], "a reducer");
  t.end();
});

test("H11. what runs after the commit, outside of machines, or only looks like it, is left alone", (t) => {
  const from = `import { assign, createMachine, enqueueActions, fromPromise, setup } from "xstate";\n`;
  for (const code of [
    "Date.now(); Math.sin(1);",
    "export const later = () => Date.now();",
    "setup({ actions: { blink: () => console.log(Date.now()) } })",
    "createMachine({ entry: () => console.log(Date.now()) })",
    "setup({ actors: { load: fromPromise(async () => fetch('/x')) } })",
    "createMachine({ entry: enqueueActions(({ enqueue }) => { enqueue(() => console.log(Date.now())); }) })",
    "const Date = { now: () => 1 }; createMachine({ on: { GO: { guard: () => Date.now() > 0 } } })",
    "const routes = { guard: () => Date.now() > 0 }; routes.guard();",
    "import { emit as emits } from './events.js'; emits('x', () => Date.now())",
    "const began = Date.now(); setup({ actions: { blink: () => console.log(began) } })",
    "const clock = { now: () => Date.now(), late: () => false }; createMachine({ on: { GO: { guard: () => clock.late() } } })",
    "const blink = createMachine({ entry: () => console.log(Date.now()) }); createMachine({ entry: assign(({ spawn }) => ({ b: spawn(blink) })) })",
    "const check = (name, run) => run(); check('x', async () => Date.now());",
    "export const port = Object.assign({}, { now: () => Date.now() });",
    "import { raise } from './flags.js'; raise(() => Date.now())",
    "createMachine({ on: { GO: { guard: ({ event }) => event.Date > 0 && event.fetch === { Math: 1 }.Math } } })",
  ])
    t.same(found(from + code), [], code);
  t.end();
});

test("H11. an async guard or assign is an error", (t) => {
  const from = `import { assign, createMachine, fromPromise, setup } from "xstate";\n`;
  t.match(found(`${from}setup({ guards: { is: async () => true } })`), [/drover\/no-async-step: This async function is run while a machine is stepped/]);
  t.match(found(`${from}createMachine({ entry: assign(async () => ({})) })`), [/no-async-step/]);
  t.match(found(`${from}async function load() {} createMachine({ entry: assign({ a: load }) })`), [/no-async-step/]);
  t.same(found(`${from}setup({ actors: { load: fromPromise(async () => 1) } })`), []);
  t.end();
});

test("H11, S9. what a step writes in place is an error, in its arguments and in names for parts of them", (t) => {
  const from = `import { assign, createMachine, enqueueActions, fromTransition, sendTo, setup } from "xstate";\n`;
  const writes = (code: string): readonly string[] => found(from + code);
  for (const code of [
    "createMachine({ entry: assign(({ context }) => { context.count = 1; return {}; }) })",
    "createMachine({ entry: assign(({ context }) => { context.list[0].count++; return {}; }) })",
    "createMachine({ entry: assign({ list: ({ context, event }) => { context.list.push(event.one); return context.list; } }) })",
    "createMachine({ entry: assign({ list: ({ context }) => context.list.sort() }) })",
    "createMachine({ entry: assign((args) => { delete args.context.one; return {}; }) })",
    "createMachine({ entry: assign(({ context: { byId } }) => { byId.set('a', 1); return { byId }; }) })",
    "createMachine({ entry: assign(({ context }) => { const { list } = context; const first = list[0]; first.on = true; return { list }; }) })",
    "createMachine({ entry: assign(({ context }) => Object.assign(context, { a: 1 })) })",
    "createMachine({ entry: sendTo('a', ({ event }) => { event.at ??= 1; return event; }) })",
    "setup({ guards: { is: ({ context }, params) => { params.seen = true; return context.on; } } })",
    "const add = ({ context }) => { context.list.push(1); return {}; }; createMachine({ entry: assign(add) })",
    "fromTransition((state, event) => { state.n += event.n; return state; }, {})",
  ])
    t.match(writes(code), [/drover\/no-write-in-place: .* in place/], code);
  for (const code of [
    "createMachine({ entry: assign(({ context }) => { const list = [...context.list]; list.push(1); list.sort(); return { list }; }) })",
    "createMachine({ entry: assign(({ context }) => { const made = {}; made.a = context.a; return Object.assign({}, context, made); }) })",
    "createMachine({ entry: assign({ n: ({ context }) => { let n = context.n; n += 1; return n; } }) })",
    "createMachine({ entry: enqueueActions(({ context, enqueue, self }) => { enqueue.assign({ a: context.a }); self.note?.add(1); }) })",
    "createMachine({ entry: ({ context }) => { context.socket.queue.push(1); } })",
    "function fill(into, one) { into.push(one); return into; } createMachine({ entry: assign(({ event }) => ({ list: fill([], event.one) })) })",
    "export function add(context) { context.list.push(1); }",
    "createMachine({ entry: assign((args) => { args.self.seen.add(1); return {}; }) })",
  ])
    t.same(writes(code), [], code);
  t.end();
});

test("H11. the preset works on TypeScript, and for some files only", (t) => {
  const typescript = [{ languageOptions: { parser: tseslint.parser as never } }];
  const code = `import { assign, setup } from "xstate";\nsetup({ types: {} as { context: { at: number; Date?: Date } } }).createMachine({ entry: assign({ at: (): number => (Date.now() as number) }) });`;
  t.match(found(code, typescript), [/Date\.now/]);
  t.match(found("import { setup } from 'xstate';\nsetup({ guards: { is: (({ event }: { event: { n: number } }) => event.n ** 2 > 1) satisfies unknown } });", typescript), [
    /\*\*/,
  ]);
  t.same(new Linter().verify("", machines, "pump.machine.js"), []);
  t.match(new Linter().verify("import { assign } from 'xstate';\nassign({ at: () => Date.now() });", machines, "pump.machine.js"), [{ ruleId: "drover/pure-step", severity: 1 }]);
  t.end();
});
