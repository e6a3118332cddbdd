export type { Condition } from "./condition.ts";
export { modelFileSchema, overlayFileSchema, publishedSchemas, vehicleFileSchema } from "./file-schemas.ts";
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
  VehicleModel,
} from "./vehicle-model.ts";
export { commandFrame, valueProblem } from "./command-frame.ts";
export { CheckedFile, ProblemList } from "./checked-file.ts";
export { type CheckedVehicle, checkVehicle } from "./check-vehicle.ts";
export { type ConditionEvaluator, createConditionEvaluator, type Truth } from "./condition-evaluator.ts";
export { type ConditionsOverTable, conditionsOver } from "./conditions-over-table.ts";
export { type FileResolver, type FoundText } from "./file-resolver.ts";
export { resolverOver } from "./resolver-over.ts";
export { nearestName } from "./spelling.ts";
