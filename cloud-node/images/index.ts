// Images of modules: kept, shown, given to vehicles.

export { imageRoutes } from "./image-routes.ts";
export { type ImageLimits, type ImageStore, imageStore, type KeptImage } from "./image-store.ts";
