// Firmware images on the edge's disk, by their hash: downloaded once, resumed after a cut or a kill, never half an image under its final name.

export type { Fetch, FetchAsk, Fetched } from "./fetch.ts";
export { httpFetch, type HttpFetchOptions } from "./http-fetch.ts";
export {
  type ImageProgress,
  type ImageStore,
  type ImageStoreOptions,
  type KeepAsk,
  type KeepOutcome,
  type KeptImage,
  openImageStore,
} from "./image-store.ts";
