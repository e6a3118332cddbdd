// Images of modules' firmware, from the command line.

export { addImage, bringImage, readImage, sha256Of } from "./add-image.ts";
export { listImages } from "./list-images.ts";
export { removeImage } from "./remove-image.ts";
