// The preset with the real ESLint: what it reports in step code, and what it leaves alone.

import { builtinModules } from "node:module";

import { Linter } from "eslint";
import { test } from "tap";
import tseslint from "typescript-eslint";

import drover from "../../../runtime/eslint/index.ts";
import { NODE_MODULES } from "../../../runtime/eslint/node-modules.ts";

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

test("H11. captured globals are found under the names that the file gives them", (t) => {
  const from = `import { assign, createMachine, setup } from "xstate";\n`;
  const cases: Readonly<Record<string, RegExp>> = {
    "const { random } = Math; createMachine({ on: { GO: { guard: () => random() > 0 } } })": /Math\.random .*random\(self\)/,
    "const { now } = Date; createMachine({ entry: assign({ at: () => now() }) })": /Date\.now .*now\(self\)/,
    "const { now: clock, UTC } = Date; createMachine({ entry: assign({ at: () => clock() - UTC(2026) }) })": /Date\.now /,
    "const { Math: { random } } = globalThis; createMachine({ entry: assign({ n: () => random() }) })": /Math\.random /,
    "const { random: chance = () => 4 } = Math; createMachine({ entry: assign({ n: () => chance() }) })": /Math\.random /,
    "const clock = Date.now; createMachine({ entry: assign({ at: () => clock() }) })": /Date\.now /,
    "const clock = Date; const { now } = clock; createMachine({ entry: assign({ at: () => now() }) })": /Date\.now /,
    "const D = Date; const date = () => new D(); createMachine({ entry: assign({ at: () => date() }) })": /new Date\(\) /,
    "const { now } = performance; createMachine({ entry: assign({ at: () => now() }) })": /performance /,
    "const { env } = process; createMachine({ entry: assign({ home: () => env.HOME }) })": /process .*input/,
    "const clock = { now: Date.now }; createMachine({ entry: assign({ at: () => clock.now() }) })": /Date\.now /,
    "class Clock { static now = Date.now; } createMachine({ entry: assign({ at: () => Clock.now() }) })": /Date\.now /,
    "createMachine({ entry: assign({ at: Date.now }) })": /Date\.now /,
    "setup({ delays: { wait: Math.random } })": /Math\.random /,
    "createMachine({ entry: assign({ at: () => new (new Date(0).constructor)().getTime() }) })": /Date, as a date's constructor, .*now\(self\)/,
    "createMachine({ entry: assign({ at: () => { const { now } = Date; return now(); } }) })": /Date\.now /,
  };
  for (const [code, message] of Object.entries(cases)) t.match(found(from + code), [message], code);
  for (const code of [
    "const { abs, random } = Math; createMachine({ entry: [assign({ n: () => abs(-1) }), () => console.log(random())] })",
    "const { UTC } = Date; createMachine({ entry: assign({ at: () => UTC(2026) }) })",
    "const D = Date; createMachine({ entry: assign({ at: ({ event }) => new D(event.at).getUTCHours() }) })",
    "const clock = { now: Date.now, zero: () => 0 }; createMachine({ entry: [assign({ at: () => clock.zero() }), () => console.log(clock.now())] })",
    "const { random } = Math; const f = (random) => random(); createMachine({ entry: assign({ n: () => f(() => 1) }) })",
    "createMachine({ entry: assign({ at: ({ event }) => new event.at.constructor(5) }) })",
    "createMachine({ entry: () => console.log(new (new Date(0).constructor)()) })",
    "const { random } = Math; setup({ actions: { random } }); createMachine({ on: { GO: 'random' } })",
  ])
    t.same(found(from + code), [], code);
  t.end();
});

test("H11. what a step uses of Node's modules is reported, however it came into the file, but for functions of their arguments alone", (t) => {
  const step = (expression: string): string => `createMachine({ entry: assign({ v: ({ event }) => ${expression} }) });`;
  const from = `import { assign, createMachine, setup } from "xstate";\n`;
  const cases: readonly (readonly [code: string, message: RegExp])[] = [
    [`import { randomUUID } from "node:crypto"; ${step("randomUUID()")}`, /randomUUID of node:crypto in code .* use random\(self\)/],
    [`import { randomInt as dice } from "crypto"; setup({ guards: { g: () => dice(3) > 1 } })`, /randomInt of node:crypto/],
    [`import crypto from "node:crypto"; ${step('crypto.randomBytes(4).toString("hex")')}`, /randomBytes of node:crypto/],
    [`import * as c from "node:crypto"; const helper = { id: () => c.webcrypto.randomUUID() }; ${step("helper.id()")}`, /webcrypto\.randomUUID of node:crypto/],
    [`import { randomUUID } from "node:crypto"; ${step("[event.n].map(randomUUID)")}`, /randomUUID of node:crypto/],
    [`import { randomUUID } from "node:crypto"; createMachine({ entry: assign({ id: randomUUID }) })`, /randomUUID of node:crypto/],
    [`import { randomUUID } from "node:crypto"; const id = randomUUID; ${step("id()")}`, /randomUUID of node:crypto/],
    [`import { randomUUID } from "node:crypto"; const id = randomUUID(); ${step("id")}`, /randomUUID of node:crypto/],
    [`import crypto from "node:crypto"; const { randomUUID } = crypto; ${step("randomUUID()")}`, /randomUUID of node:crypto/],
    [`import { performance as perf } from "node:perf_hooks"; ${step("perf.now()")}`, /performance\.now of node:perf_hooks .*now\(self\)/],
    [`import { setTimeout as later } from "timers"; ${step("later(() => 1, 1)")}`, /setTimeout of node:timers .*after/],
    [`import { readFileSync } from "node:fs"; ${step("readFileSync('x', 'utf8')")}`, /readFileSync of node:fs .*task/],
    [`import fs from "fs"; ${step("fs['writeFileSync']('x', event.v)")}`, /writeFileSync of node:fs/],
    [`import { execSync } from "child_process"; ${step("execSync('date').toString()")}`, /execSync of node:child_process/],
    [`import os from "node:os"; ${step("os.uptime()")}`, /uptime of node:os .*input/],
    [`import process from "node:process"; ${step("process.env.HOME")}`, /env\.HOME of node:process .*input/],
    [`import { resolve } from "node:path"; ${step("resolve('x')")}`, /resolve of node:path .*input/],
    [`import { gzipSync } from "node:zlib"; ${step("gzipSync(event.v)")}`, /gzipSync of node:zlib .*engine versions/],
    [`import { parseArgs } from "util"; ${step("parseArgs()")}`, /parseArgs of node:util/],
    [`import { AsyncLocalStorage } from "async_hooks"; const store = 1; ${step("new AsyncLocalStorage().getStore() ?? store")}`, /AsyncLocalStorage of node:async_hooks/],
    [`import { DatabaseSync } from "node:sqlite"; ${step("new DatabaseSync(':memory:')")}`, /DatabaseSync of node:sqlite/],
    [`const { randomUUID } = require("crypto"); ${step("randomUUID()")}`, /randomUUID of node:crypto/],
    [`const fs = require("node:fs"); ${step("fs.existsSync('x')")}`, /existsSync of node:fs/],
    [step("require('fs').readFileSync('x')"), /readFileSync of node:fs/],
    [`const { randomInt } = await import("node:crypto"); ${step("randomInt(3)")}`, /randomInt of node:crypto/],
    [`const c = await import("node:crypto"); ${step("c.default.randomInt(3)")}`, /randomInt of node:crypto/],
    [step("(await_ => import('node:fs'))()"), /node:fs in code/],
    [`import fs from "node:fs"; const use = (it) => it; ${step("use(fs)")}`, /node:fs in code/],
  ];
  for (const [code, message] of cases) t.match(found(from + code), [message], code);
  for (const code of [
    `import { createHash, createHmac, timingSafeEqual } from "node:crypto"; ${step('createHash("sha256").update(event.v).digest("hex") + createHmac("sha256", "k") + timingSafeEqual(event.a, event.b)')}`,
    `import crypto from "crypto"; ${step('crypto.createHash("sha256")')}`,
    `import { join } from "node:path"; import path from "path"; ${step("join(path.dirname(event.v), path.posix.basename('x'))")}`,
    `import { URL, fileURLToPath } from "node:url"; ${step("new URL(event.v).host + fileURLToPath(event.v)")}`,
    `import { format, inspect, types } from "node:util"; ${step("format('%s', inspect(event)) + types.isDate(event.v)")}`,
    `import { Buffer } from "node:buffer"; import { StringDecoder } from "string_decoder"; import qs from "querystring"; ${step("new StringDecoder().write(Buffer.from(qs.escape(event.v)))")}`,
    `import assert from "node:assert/strict"; import { ok } from "assert"; ${step("(assert.equal(event.v, 1), ok(event.v), assert(event.v))")}`,
    `import { inflateSync } from "node:zlib"; ${step("inflateSync(event.v)")}`,
    `import { EOL } from "node:os"; ${step("event.v + EOL")}`,
    `import { randomUUID } from "node:crypto"; setup({ actions: { keep: () => console.log(randomUUID()) } })`,
    `import { readFileSync } from "node:fs"; export const load = () => readFileSync("x"); createMachine({})`,
    `import { readFileSync } from "node:fs"; const table = JSON.parse(readFileSync("table.json", "utf8")); ${step("table[event.v]")}`,
    `import { randomUUID } from "./ids.js"; ${step("randomUUID()")}`,
    `import { readFileSync } from "memfs"; ${step("readFileSync('x')")}`,
    `import { randomUUID } from "node:crypto"; export { randomUUID }; ${step("((randomUUID) => randomUUID)(event.v)")}`,
  ])
    t.same(found(from + code), [], code);
  t.end();
});

test("H11. the modules that exist without `node:` are those of this Node, and all of them", (t) => {
  const own = builtinModules.filter(
    (name) => !name.includes("_") || /^(?:async_hooks|child_process|diagnostics_channel|perf_hooks|string_decoder|trace_events|worker_threads)$/.test(name),
  );
  t.same([...NODE_MODULES].sort(), own.filter((name) => !name.startsWith("node:")).sort());
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
    "createMachine({ entry: assign(({ context }) => { for (const one of context.list) one.on = true; return {}; }) })",
    "createMachine({ entry: assign(({ context }) => { for (const { inner } of context.list.slice(1)) inner.n++; return {}; }) })",
    "createMachine({ entry: assign(({ context }) => { context.list.forEach((one) => { one.on = true; }); return {}; }) })",
    "createMachine({ entry: assign({ list: ({ context }) => context.list.map((one) => { one.n += 1; return one; }) }) })",
    "createMachine({ entry: assign({ n: ({ context }) => context.list.reduce((sum, one) => { one.seen = true; return sum + one.n; }, 0) }) })",
    "createMachine({ entry: assign(({ context }) => { context.list.at(-1).on = true; return {}; }) })",
    "createMachine({ entry: assign(({ context, event }) => { const one = context.list.find(({ id }) => id === event.id); one.on = true; return {}; }) })",
    "createMachine({ entry: assign(({ context }) => { context.byId.get('a')?.list.push(1); return {}; }) })",
    "createMachine({ entry: assign(({ context }) => { context.list.filter((one) => one.on)[0].on = false; return {}; }) })",
    "createMachine({ entry: assign(({ context }) => { const on = context.list.filter((one) => one.on); on[0].on = false; return {}; }) })",
    "createMachine({ entry: assign(({ context }) => { for (const one of Object.values(context.byId)) one.n = 0; return {}; }) })",
    "createMachine({ entry: assign(({ context }) => { Reflect.set(context, 'n', 1); return {}; }) })",
    "fromTransition((state) => { for (const one of state.list) one.n++; return state; }, {})",
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
    "createMachine({ entry: assign(({ context }) => { const on = context.list.filter((one) => one.on); on.push(1); on.sort(); return { on }; }) })",
    "createMachine({ entry: assign(({ context }) => { const list = context.list.map((one) => ({ ...one })); for (const one of list) one.on = true; return { list }; }) })",
    "createMachine({ entry: assign(({ context }) => { const next = { ...context, m: { ...context.m } }; next.m.x = 1; return next; }) })",
    "createMachine({ entry: assign(({ context }) => { const made = new Map(context.pairs); made.get('a'); made.set('b', 1); return { made }; }) })",
    "createMachine({ entry: assign({ n: ({ context }) => context.list.reduce((sum, one) => { sum.n += one.n; return sum; }, { n: 0 }) }) })",
    "createMachine({ entry: assign(({ context }) => { const made = []; for (const one of context.list) made.push({ ...one }); return { made }; }) })",
    "createMachine({ entry: assign(({ context }) => { const list = structuredClone(context.list); list.at(-1).on = true; return { list }; }) })",
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
  const typed = `import { assign } from "xstate"; import type { Stats } from "node:fs"; import { type Hash, randomUUID } from "node:crypto"; import fs = require("fs");\n`;
  t.same(found(`${typed}assign({ s: ({ event }): Stats => event.s as Stats, h: ({ event }) => event.h as Hash | typeof randomUUID });`, typescript), []);
  t.match(found(`${typed}assign({ id: (): string => (randomUUID as () => string)() });`, typescript), [/randomUUID of node:crypto/]);
  t.match(found(`${typed}assign({ s: () => fs.statSync("x")!.size });`, typescript), [/statSync of node:fs/]);
  t.match(found(`${typed}const { random } = Math as { random(): number }; assign({ n: () => random() });`, typescript), [/Math\.random/]);
  t.same(new Linter().verify("", machines, "pump.machine.js"), []);
  t.match(new Linter().verify("import { assign } from 'xstate';\nassign({ at: () => Date.now() });", machines, "pump.machine.js"), [{ ruleId: "drover/pure-step", severity: 1 }]);
  t.end();
});
