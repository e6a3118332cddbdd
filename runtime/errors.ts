// The one catalogue of error codes. A code is never reused; the table in docs and the union below are this object (a test compares them).
// `exit` is the exit code of the command line (design section 10), `status` the HTTP status of a problem (RFC 9457) where one is sent.

export interface CatalogueEntry {
  /** One sentence: what happened, without particulars. */
  readonly title: string;
  /** What the reader should do. */
  readonly advice: string;
  readonly exit: 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
  readonly status?: number;
}

export const errorCatalogue = {
  DROVER_ADDRESS_INVALID: {
    title: "An address is not well formed.",
    advice: "Write tenant/type/id, then /type/id for each child; segments are [A-Za-z0-9_.~-]+.",
    exit: 2,
    status: 400,
  },
  DROVER_TOPIC_INVALID: {
    title: "What is published names no topic, or is no event.",
    advice: 'Write up to 16 segments of [A-Za-z0-9_.~-] with "/" between them; publish plain data with a type.',
    exit: 1,
  },
  DROVER_TYPE_INVALID: { title: "An actor type cannot be registered.", advice: "Mend the machine or its protocol as the detail says.", exit: 3 },
  DROVER_FILE_UNREADABLE: { title: "A file cannot be read.", advice: "Check the name and the rights.", exit: 4 },
  DROVER_CONFIG_INVALID: { title: "The configuration is not valid.", advice: "Mend the named key.", exit: 3 },
  DROVER_DOOR_FAILED: {
    title: "The door of a node gave no verdict on a message, which was refused.",
    advice: 'A door returns at once what passes or refuses the message: { kind: "pass" } or { kind: "refuse", refusal }; see what it gave.',
    exit: 1,
  },
  DROVER_PORT_IN_USE: { title: "A port is already in use.", advice: "Stop the other program, or change the named key.", exit: 1 },
  DROVER_STORE_NEWER: { title: "The store was written by a newer version of Drover.", advice: "Run that version or newer, or point to another data folder.", exit: 3 },
  DROVER_STORE_LOCKED: { title: "The store is held by somebody else.", advice: "Stop the node that holds it, or point to another data folder.", exit: 5 },
  DROVER_STORE_FAILED: { title: "The store could not do its work.", advice: "See the cause; check free space and the disk.", exit: 1, status: 503 },
  DROVER_STORE_FLUSH_FAILED: {
    title: "The disk failed to flush what was written.",
    advice: "Look at the disk; the process ends, and its next start settles what the store holds.",
    exit: 1,
    status: 503,
  },
  DROVER_IDENTITY_DAMAGED: {
    title: "The identity of the node cannot be read.",
    advice: "Put identity-1.json or identity-2.json back from a backup; to let the node begin as a new one, remove both.",
    exit: 3,
  },
  DROVER_IMPURE_STEP: {
    title: "A machine reached for the outside world while it was stepped.",
    advice: "Use now(self) or random(self), or move the work into an effect or a task.",
    exit: 1,
  },
  DROVER_MACHINE_RUNAWAY: {
    title: "One input caused too many steps inside an entity.",
    advice: "Look for machines that answer each other without end, or an always loop.",
    exit: 1,
  },
  DROVER_MACHINE_CHANGED: {
    title: "An actor's machine was changed without a new version.",
    advice: "Raise its version, with migrate where states have other names; drover doctor --machine tells what becomes of each stored actor.",
    exit: 1,
  },
  DROVER_ACTOR_HUNG: {
    title: "Code of an actor hung, or ended its process at once, more than once, and is not run any more.",
    advice: "Look for a loop without end, an exit, memory without bound or native code; then raise the version of the actor type, or take its lines out of the node's crash file.",
    exit: 1,
  },
  DROVER_ACTOR_FAILED: { title: "An actor's own code threw.", advice: "See the cause and the place.", exit: 1 },
  DROVER_REJECTION_UNHANDLED: {
    title: "A promise was rejected and nobody handled it.",
    advice: "Await it or catch it; a step begins no work of its own: move that into an effect, a task or a source.",
    exit: 1,
  },
  DROVER_STEP_PROMISE: {
    title: "An actor's step returned a promise where a value is needed at once.",
    advice: "Move the work into a task or a source, and take its result as an event.",
    exit: 1,
  },
  DROVER_WORK_UNDECLARED: {
    title: "An actor's step asked for an action or a source that its type does not declare.",
    advice: "Name it in setup({ actions }), with effect({ class }), or in setup({ actors }), and use the name; inline ones are for volatile types only.",
    exit: 1,
  },
  DROVER_STEP_WITHOUT_STATE: {
    title: "A reducer returned no state.",
    advice: "Return the next state, or the given one where nothing changes.",
    exit: 1,
  },
  DROVER_SEND_INVALID: {
    title: "An actor sent what cannot be sent, or to nobody.",
    advice: "Send an object with a type and plain data, to a child, a ref, or type.at(address).",
    exit: 1,
  },
  DROVER_MESSAGE_TOO_LARGE: {
    title: "An actor sent or kept for later what is too large for one message.",
    advice: "Send less at a time (1 MiB at most), or a reference to where it can be read.",
    exit: 1,
  },
  DROVER_DELAY_INVALID: {
    title: "A delay is no number of milliseconds, or what becomes of its timer is no policy.",
    advice: "Give a finite number (a negative one counts as zero), and remaining, absolute, skip or { each: n }.",
    exit: 1,
  },
  DROVER_CHILD_ID_TAKEN: { title: "The id of a child or of the system is taken.", advice: "Stop its holder first, or give the new child another id.", exit: 1 },
  DROVER_CONTEXT_TOO_LARGE: {
    title: "The context of an actor has grown beyond its limit.",
    advice: "Keep less, keep it in several actors, or raise contextLimits of the actor type.",
    exit: 1,
  },
  DROVER_ENTITY_TOO_LARGE: {
    title: "An entity has grown beyond what it may hold: its actors' data together, or their number.",
    advice: "Keep less, stop children that are done, or make several entities of it.",
    exit: 1,
  },
  DROVER_CONTEXT_INVALID: { title: "The context of an actor does not have the shape that its type declares.", advice: "Mend the machine, or its contextSchema.", exit: 1 },
  DROVER_DATA_NOT_KEPT: {
    title: "A durable actor holds something that cannot be kept.",
    advice: "Keep plain data: no functions, class instances, Map, Set, promises, cycles, or lists with holes or names.",
    exit: 1,
  },
  DROVER_STATE_NEWER: {
    title: "A stored state, or the active version of its actor type, is newer than what is registered.",
    advice: "Run that version or a newer one; nothing was changed.",
    exit: 3,
  },
  DROVER_STATE_INVALID: {
    title: "A stored state does not fit the actor type that is registered.",
    advice: "Register the version that wrote it, or a newer one with migrate.",
    exit: 3,
  },
  DROVER_TREE_INVALID: { title: "A supervision tree or a child of it is not well formed.", advice: "Mend the named child or flag.", exit: 3 },
  DROVER_SIMULATION_INVALID: { title: "A simulation cannot be run as it is described.", advice: "Mend the named option.", exit: 3 },
  DROVER_SUPERVISOR_GAVE_UP: { title: "A supervisor saw more restarts than its intensity allows.", advice: "See the cause of the last failure.", exit: 1 },
  DROVER_WORKER_FAILED: { title: "A worker ended although it should run.", advice: "See the cause.", exit: 1 },
  DROVER_WORKER_START_TIMEOUT: { title: "A worker was not ready in time.", advice: "See its log; raise startMs if it needs longer.", exit: 8 },
  DROVER_WORKER_KILLED: { title: "A worker did not stop in time and was killed.", advice: "See its log; raise shutdownMs if it needs longer.", exit: 1 },
  DROVER_KEY_INVALID: {
    title: "A key or pattern of the bus is not well formed.",
    advice: "Use segments of [A-Za-z0-9_.~@%-]+ joined by /; patterns add * and a final **.",
    exit: 2,
  },
  DROVER_ENVELOPE_INVALID: {
    title: "A message cannot be written to the wire.",
    advice: "Send JSON and bytes only, and fields of the form that the wire's contract states.",
    exit: 1,
  },
  DROVER_BROKER_CREDENTIALS: {
    title: "The broker's credentials cannot be read or written.",
    advice: "Mend or delete the named file; a new secret is made at the next start.",
    exit: 3,
  },
  DROVER_TOKENS_UNUSABLE: {
    title: "The file of API tokens cannot be read or written.",
    advice: "Mend or delete the named file; without it a new first token is made at the next start.",
    exit: 3,
    status: 503,
  },
  DROVER_ROUTE_WITHOUT_ROLE: { title: "A route of the API does not say who may use it.", advice: "Give the route config: { role } with open, viewer, operator or admin.", exit: 1 },
  DROVER_RIG_REFUSED: { title: "The simulated rig cannot do that.", advice: "Ask the rig for its modules and commands with `help`.", exit: 2 },
  DROVER_DBC_INVALID: { title: "A DBC file cannot be used.", advice: "Mend the file at the named place, or export it again.", exit: 3 },
  DROVER_CAN_LOG_INVALID: {
    title: "A recording cannot be read.",
    advice: "Give a recording of candump, PEAK TRC, Vector ASC or BLF, pcap of SocketCAN, or MF4 of a bus logger, plain or gzipped.",
    exit: 3,
  },
  DROVER_CAN_BUS_NOT_RECORDED: {
    title: "A recording has no frame of the bus that it is to play.",
    advice: "Name one of its interfaces behind the recording: log:FILE?bus=NAME.",
    exit: 3,
  },
  DROVER_CAN_OVERLAY_INVALID: { title: "An overlay does not fit the DBC.", advice: "Mend the named entry.", exit: 3 },
  DROVER_CAN_USE: { title: "A CAN room was asked for something that it does not offer.", advice: "Mend the call.", exit: 1 },
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof errorCatalogue;

/** Where in a text a problem lies; line and column count from 1. */
export interface TextPosition {
  readonly file?: string;
  readonly line: number;
  readonly column: number;
}

/** The one error class. Thrown for broken contracts and at start; expected outcomes are values. */
export class DroverError extends Error {
  readonly code: ErrorCode;
  /** True when the same call may succeed later without a change by the caller. */
  readonly retryable: boolean;
  readonly position: TextPosition | undefined;

  /** @param detail what, where, what was expected; the advice of the catalogue is appended for the reader by whoever shows it */
  constructor(code: ErrorCode, detail: string, options: { readonly cause?: unknown; readonly retryable?: boolean; readonly position?: TextPosition } = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "DroverError";
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.position = options.position;
  }
}
