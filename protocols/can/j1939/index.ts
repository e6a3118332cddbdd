// What SAE J1939 adds to a frame: the parts of its id, the raw values that mean "no value", messages in many frames, heard, sent and received, and who
// has which address.

export { type AddressChange, type AddressTable, createAddressTable } from "./address-table.ts";
export { type J1939Id, j1939Id, parseJ1939Id, pgnOf } from "./id.ts";
export { formatJ1939Name, type J1939Name, parseJ1939Name } from "./name.ts";
export { notAvailableFrom, type NotAvailableRule } from "./not-available.ts";
export { createJ1939Transport, type J1939Message, type J1939TransportOptions } from "./transport.ts";
export { createJ1939Receiver, type J1939Receiver, type J1939ReceiveFailure, type J1939ReceiverOptions, type J1939ReceiverStep } from "./transport-receiver.ts";
export { createJ1939Sender, type J1939Payload, type J1939Sender, type J1939SenderOptions, type J1939SenderStep, type J1939SendFailure } from "./transport-sender.ts";
