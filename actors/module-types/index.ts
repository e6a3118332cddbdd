export type {
  CommandFrame,
  CommandMethod,
  CommandValue,
  Confirmation,
  HealthRule,
  ModuleCommand,
  ModuleType,
  ModuleUpdate,
  Template,
} from "./module-type.ts";
export { builtInModuleTypes } from "./built-in.ts";
