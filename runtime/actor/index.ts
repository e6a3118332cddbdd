export {
  type ActorType,
  type AnyActorType,
  type AnyBehaviour,
  actorType,
  type ContextLimits,
  type EffectImplementation,
  type Effects,
  type MailboxLimits,
  type Migration,
  type Parts,
  type TaskImplementation,
  type Tasks,
} from "./actor-type.ts";
export { contextProblem } from "./context-schema.ts";
export { type ChildKind, type Durability, type EntityType, entityType, type Placement, type Registered } from "./entity-type.ts";
export {
  type AnyMessages,
  type Askable,
  type Body,
  type Checked,
  type Declined,
  decline,
  type EventOf,
  effectOutcomes,
  type MessageProblem,
  type Messages,
  type MessageSpec,
  type MessageSpecs,
  messages,
  type ReadValue,
  type Replied,
  type ReplyOf,
  type ReplyTo,
  reply,
  type SaidByActors,
  type Speaker,
  T,
} from "./messages.ts";
export { type AnyReducer, isReducer, type Reducer, type ReducerTurn, reducer } from "./reducer.ts";
export { type Publication, publication, type SubscriptionInput, subscription, topicName } from "./topic.ts";
export { author, now, random } from "./turn-facts.ts";
export { type AskInput, ask, DEFAULT_TASK_WITHIN_MS, effect, task } from "./work.ts";
export type { EffectWord, WorkContext } from "./work-context.ts";
