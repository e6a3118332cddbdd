// The only door of this room.

export type { BrokerOptions, EmbeddedBroker } from "./broker.ts";
export { brokerMetrics, linkMetrics } from "./counters.ts";
export { CredentialBook, type NodeCredential, nodeCredential, readCredentials, type Reach } from "./credentials.ts";
export { embeddedBroker } from "./embedded-broker.ts";
export { MAX_PAYLOAD_BYTES, type MqttTransportOptions } from "./mqtt-options.ts";
export { mqttTransport } from "./mqtt-transport.ts";
