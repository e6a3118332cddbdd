// ISO 15765-2 (ISO-TP): diagnostics and other messages of more bytes than a frame has. A listener for what others say; a sender and a receiver to take part.

export type { IsoTpLink, LinkId } from "./link.ts";
export { createIsoTpListener, diagnosticPeer, type IsoTpListenerOptions, type IsoTpMessage } from "./listener.ts";
export type { IsoTpAddressing } from "./protocol-frame.ts";
export { createIsoTpReceiver, type IsoTpReceiveFailure, type IsoTpReceiver, type IsoTpReceiverOptions, type IsoTpReceiverStep } from "./receiver.ts";
export { createIsoTpSender, type IsoTpSender, type IsoTpSenderOptions, type IsoTpSenderStep, type IsoTpSendFailure } from "./sender.ts";
