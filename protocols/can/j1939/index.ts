// What SAE J1939 adds to a frame: the parts of its id, and the raw values that mean "no value".

export { type J1939Id, parseJ1939Id, pgnOf } from "./id.ts";
export { notAvailableFrom, type NotAvailableRule } from "./not-available.ts";
