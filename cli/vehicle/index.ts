// The files that describe a vehicle, on the command line.

export { checkVehicleFile } from "./check-vehicle-file.ts";
export { filesFromDisk } from "./files-from-disk.ts";
