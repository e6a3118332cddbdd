// A CAN bus inside the process.

export { createVirtualBus, type VirtualBus, type VirtualBusOptions, type VirtualPort, type VirtualPortOptions } from "./virtual-bus.ts";
