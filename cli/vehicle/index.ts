// The files that describe a vehicle, on the command line.

export { checkVehicleFile } from "./check-vehicle-file.ts";
