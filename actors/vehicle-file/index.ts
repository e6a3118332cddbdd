export type { Comparison, Condition } from "./condition.ts";
export { type ModelFile, modelFileSchema, overlayFileSchema, publishedSchemas, type VehicleFile, vehicleFileSchema } from "./file-schemas.ts";
export { formatProblem, type Problem } from "./problem.ts";
export type {
  ModelBus,
  ModelCommand,
  ModelCondition,
  ModelMessage,
  ModelModule,
  ModelOutput,
  ModelPresence,
  ModelSignal,
  ModelTarget,
  ModelTelemetry,
  ModelWatch,
  NotActedOn,
  PeriodSource,
  VehicleModel,
} from "./vehicle-model.ts";
export { commandFrame, type CommandFrameOutcome, valueProblem } from "./command-frame.ts";
export { type CheckedVehicle, checkVehicle } from "./check-vehicle.ts";
export { type ConditionEvaluator, createConditionEvaluator, type EvaluatedModel, type Truth } from "./condition-evaluator.ts";
export { type ConditionsOverTable, conditionsOver } from "./conditions-over-table.ts";
export { type FileResolver, type FoundDatabase, type FoundText, modelFileNames } from "./file-resolver.ts";
export { resolverOver } from "./resolver-over.ts";
