// A process that keeps one image and prints what came of it: to be killed in the middle, or run on a bad disk.
// Usage: node _keeping.js FOLDER URL SHA256 BYTES [SHA256 that is used meanwhile]

import { httpFetch, openImageStore } from "../../../protocols/image-store/index.ts";
import { systemClock } from "../../../runtime/host/index.ts";

const [folder = "", url = "", sha256 = "", bytes = "0", used] = process.argv.slice(2);
const images = openImageStore({ folder, maxBytes: 100_000_000 }, { clock: systemClock });
const keep = (): ReturnType<typeof images.keep> => images.keep({ sha256, bytes: Number(bytes), fetch: httpFetch({ url }, { clock: systemClock }) });
const outcome = used === undefined ? await keep() : await images.use(used, keep);
process.stdout.write(`${JSON.stringify({ outcome, left: await images.list() })}\n`);
