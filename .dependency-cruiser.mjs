// The arrows between the rooms: cli -> edge-node, cloud-node -> actors, protocols -> runtime. One named rule per arrow; its comment says what to do instead.
//
// A1. A room is a top-level folder, or one folder of protocols/. Its door is index.ts; runtime has more: ports/index.ts, wire/index.ts (for who carries envelopes), simulation/index.ts,
//     and for what does without the engine, and would pay for loading it at each start: host/, shape/, supervision/ and workers/index.ts. A node's worker file is a door too: who starts it as a process needs its name, not its code.
// A2. test/ and bench/ may import anything, and nobody imports them.
// A3. Type-only imports count: they are read by people, and a cycle of types is a cycle of ideas.

/** What an npm package resolves to, wherever it is installed. */
const npm = (...names) => names.map((name) => `(^|/)node_modules/${name}/`);
const DOORS = [
  "^(runtime|runtime/(?:ports|wire|simulation|host|shape|supervision|workers)|edge-node|cloud-node|cli|actors)/index\\.ts$",
  "^(actors|protocols)/[^/]+/index\\.ts$",
  "^(edge-node/edge|cloud-node/cloud)\\.worker\\.ts$",
];
const NPM = ["npm", "npm-dev", "npm-optional", "npm-peer"];
const IN_TESTS = "^(test|bench)/";

const arrows = [
  {
    name: "runtime-imports-nothing-of-ours",
    comment: "The engine knows no vehicle, wire, database or HTTP. Declare what you need as an interface in runtime/ports and let a room above implement it.",
    from: { path: "^runtime/" },
    to: { path: "^(actors|protocols|edge-node|cloud-node|cli|test|bench)/" },
  },
  {
    name: "actors-import-runtime-and-can-only",
    comment: "A domain actor speaks signal names, never bytes or topics. Take it as an event, a declared effect or a read value; the node that composes both makes the link.",
    from: { path: "^actors/" },
    to: { path: "^(protocols/(?!can/)|edge-node/|cloud-node/|cli/|test/|bench/)" },
  },
  {
    name: "protocols-import-runtime-only",
    comment: "A protocol carries what it is given. Pass the domain's part in as an argument from edge-node/ or cloud-node/.",
    from: { path: "^protocols/" },
    to: { path: "^(actors|edge-node|cloud-node|cli|test|bench)/" },
  },
  {
    name: "protocols-know-no-sibling",
    comment: "Siblings meet in the node that composes them, through a port. Only protocols/can is shared, because it is pure.",
    from: { path: "^protocols/([^/]+)/" },
    to: { path: "^protocols/", pathNot: ["^protocols/$1/", "^protocols/can/"] },
  },
  {
    name: "edge-node-imports-downwards",
    comment: "What both nodes need moves down into actors/, protocols/ or runtime/; what only the demo needs belongs to cli/.",
    from: { path: "^edge-node/" },
    to: { path: "^(cloud-node|cli|test|bench)/" },
  },
  {
    name: "cloud-node-imports-downwards",
    comment: "What both nodes need moves down into actors/, protocols/ or runtime/; what only the demo needs belongs to cli/.",
    from: { path: "^cloud-node/" },
    to: { path: "^(edge-node|cli|test|bench)/" },
  },
  {
    name: "the-rig-knows-no-decoder",
    comment: "The simulated rig stands for hardware: its bytes are written by hand, so that a bit order which we got wrong cannot cancel out. A test compares the two.",
    from: { path: "^cli/rig/" },
    to: { path: "^(protocols|actors|edge-node|cloud-node)/" },
  },
  {
    name: "nobody-imports-tests",
    comment: "Test and bench code is not shipped. What several rooms need in tests and users need in theirs belongs to runtime/simulation.",
    from: { pathNot: IN_TESTS },
    to: { path: IN_TESTS },
  },
  {
    name: "simulation-is-for-tests-and-the-command-line",
    comment: "A seeded clock or a faulty store has no place in production code. Take the port (Clock, Random, Store, Transport) and let main.ts choose.",
    from: { path: "^(runtime|actors|protocols|edge-node|cloud-node)/", pathNot: "^runtime/simulation/" },
    to: { path: "^runtime/simulation/" },
  },
];

const doors = [
  {
    name: "rooms-have-one-door",
    comment: "Import the room's index.ts (of runtime also the doors named in A1). If what you need is not exported there, ask whether it should be.",
    from: { path: "^(runtime|actors|edge-node|cloud-node|cli)/" },
    to: {
      path: "^(runtime|actors|edge-node|cloud-node|protocols|cli)/",
      pathNot: ["^$1/", ...DOORS],
    },
  },
  {
    name: "protocols-have-one-door",
    comment: "Import the room's index.ts (of runtime also the doors named in A1). If what you need is not exported there, ask whether it should be.",
    from: { path: "^(protocols/[^/]+)/" },
    to: {
      path: "^(runtime|actors|edge-node|cloud-node|protocols|cli)/",
      pathNot: ["^$1/", ...DOORS],
    },
  },
  {
    name: "folders-have-one-door",
    comment:
      "Inside a room, too, a folder is entered by its index.ts, or by contract.ts where its data are shared both ways. Move a file that two folders need to the room's top, or give it a folder.",
    from: { path: "^([^/]+)/([^/]+)/", pathNot: [IN_TESTS, "^protocols/"] },
    to: { path: "^$1/[^/]+/", pathNot: ["^$1/$2/", "^$1/[^/]+/(index|contract)\\.ts$"] },
  },
  {
    name: "folders-of-can-have-one-door",
    comment: "A folder of protocols/can is entered by its index.ts. What two of them need belongs to model/ or frames/.",
    from: { path: "^protocols/can/([^/]+)/" },
    to: { path: "^protocols/can/[^/]+/", pathNot: ["^protocols/can/$1/", "^protocols/can/[^/]+/index\\.ts$"] },
  },
];

const parts = [
  {
    name: "xstate-stays-in-its-room",
    comment: "Everything XState-specific of the engine is in runtime/xstate (design section 4). Machines of the domain are written with it in actors/; all others see behaviours.",
    from: { pathNot: [IN_TESTS, "^runtime/(xstate|actor|entity)/", "^actors/"] },
    to: { path: npm("xstate") },
  },
  {
    name: "hosts-know-xstate-as-types",
    comment: "runtime/actor and runtime/entity carry an author's machine and may name its type; whatever runs XState's code belongs to runtime/xstate.",
    from: { path: "^runtime/(actor|entity)/" },
    to: { path: npm("xstate"), dependencyTypesNot: ["type-only"] },
  },
  {
    name: "runtime-uses-few-libraries",
    comment: "The engine stands on xstate, typebox and msgpackr (records and envelopes); a driver, server or other codec belongs to a room of protocols/ behind a port.",
    from: { path: "^runtime/" },
    to: { dependencyTypes: NPM, pathNot: npm("xstate", "typebox", "msgpackr") },
  },
  {
    name: "actors-do-no-io",
    comment: "Actors are pure: describe the work as an effect or a task and let the node do it. vehicle-file is given text and gives back data.",
    from: { path: "^actors/" },
    to: { dependencyTypes: ["core"], pathNot: "^(node:)?crypto$" }, // a digest is no I/O; lint keeps its random part out
  },
  {
    name: "can-is-pure",
    comment: "protocols/can works on bytes and text that it is given; reading files, sockets and clocks belongs to the room that calls it.",
    from: { path: "^protocols/can/" },
    to: { dependencyTypes: ["core", ...NPM] },
  },
  {
    name: "nothing-shipped-needs-a-dev-dependency",
    comment: "The tarball installs with --omit=dev: move the package to dependencies if the product needs it, or the code to test/ or bench/.",
    from: { pathNot: [IN_TESTS, "^\\.ci/", "^[^/]+$"] },
    to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
  },
  {
    name: "every-package-is-listed",
    comment: "Add the package to package.json with the change that uses it, or drop the import.",
    from: {},
    to: { dependencyTypes: ["npm-no-pkg", "npm-unknown"] },
  },
  { name: "every-import-resolves", comment: "Mend the specifier; local ones end in .ts.", from: {}, to: { couldNotResolve: true } },
  {
    name: "no-cycles",
    comment: "If two files need one type, give it a file of its own; if two folders need each other, one of them holds two ideas.",
    from: {},
    to: { circular: true },
  },
];

export default {
  forbidden: [...arrows, ...doors, ...parts].map((rule) => ({ severity: "error", ...rule })),
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    moduleSystems: ["es6"],
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default", "types"], extensions: [".ts", ".mjs", ".js", ".json"] },
  },
};
