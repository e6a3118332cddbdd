export type {
  CommandFrame,
  CommandMethod,
  CommandValue,
  Confirmation,
  FrameField,
  HealthRule,
  ModuleCommand,
  ModuleOutputs,
  ModulePlace,
  ModuleSignal,
  ModuleType,
  SentMessage,
  Template,
} from "./module-type.ts";
export { builtInModuleTypes } from "./built-in.ts";
