// Reads what stands in a telemetry log, as the cloud does.

import { Packr } from "msgpackr";

export const packer = new Packr({ useRecords: false, moreTypes: false, structuredClone: false }) as { unpack(bytes: Uint8Array): unknown };
