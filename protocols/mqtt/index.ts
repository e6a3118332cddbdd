// The only door of this room.

export { type BrokerOptions, type EmbeddedBroker, embeddedBroker } from "./broker.ts";
export { brokerMetrics, linkMetrics } from "./counters.ts";
export { CredentialBook, type NodeCredential, nodeCredential, readCredentials, type Reach } from "./credentials.ts";
export { MAX_PAYLOAD_BYTES, type MqttTransportOptions } from "./mqtt-options.ts";
export { mqttTransport } from "./mqtt-transport.ts";
