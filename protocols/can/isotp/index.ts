// ISO 15765-2 (ISO-TP): diagnostics and other messages of more bytes than a frame has.

export { createIsoTpListener, diagnosticPeer, type IsoTpAddressing, type IsoTpListenerOptions, type IsoTpMessage } from "./listener.ts";
