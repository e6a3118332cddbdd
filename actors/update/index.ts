// The update of one module in its vehicle (vehicle.md, States).

export { updateMachine } from "./machine.ts";
export { madeFor, madeForWords } from "./made-for.ts";
export { MAX_WHY, type UpdateProgress, type UpdateState } from "./update-context.ts";
export type {
  ImageKept,
  ImageUpload,
  ImageUploaded,
  ImageWanted,
  ModuleCheck,
  ModuleChecked,
  ModuleTrigger,
  ModuleTriggered,
  PortAwaited,
  PortSeen,
  UpdateTasks,
} from "./work.ts";
