// A system's numbers as samples, when somebody asks (port Metrics).

import { UNHEARD, type UnheardCounts } from "../entity/index.ts";
import type { MetricSample } from "../ports/index.ts";
import type { ActivationGate } from "./activation-gate.ts";
import type { Committer } from "./committer.ts";
import type { DeadLetters } from "./dead-letters.ts";
import type { Entities } from "./entities.ts";
import type { MailBudget } from "./mail-budget.ts";
import type { Passivation } from "./passivation.ts";
import type { Topics } from "./topics.ts";
import type { UnhandledRejections } from "./unhandled-rejections.ts";

export interface SystemCounters {
  /** By kind of outcome. */
  readonly messages: Map<string, number>;
  unheard: UnheardCounts;
  restarts: number;
  divergences: number;
}

const UNHEARD_HELP = `What reached nobody inside entities, by what it was: ${Object.entries(UNHEARD)
  .map(([kind, means]) => `${kind}: ${means}`)
  .join("; ")}.`;

const WAKES_HELP =
  "Entities out of memory with something to do by now: all of them (due; the next few thousand are known), and those of them that were called, be it that they wait for room (under-way).";

export interface SystemParts {
  readonly counters: SystemCounters;
  readonly deadLetters: DeadLetters;
  readonly rejections: UnhandledRejections;
  readonly mailBudget: MailBudget;
  readonly committer: Committer;
  readonly entities: Entities;
  readonly gate: ActivationGate;
  readonly passivation: Passivation | undefined;
  readonly topics: Topics;
}

export function systemMetrics(parts: SystemParts): readonly MetricSample[] {
  const { counters, deadLetters, rejections, mailBudget: mail, committer, entities, gate, passivation, topics } = parts;
  const { counters: commits } = committer;
  const samples: MetricSample[] = [];
  const gauge = (name: string, help: string, value: number, labels: Readonly<Record<string, string>>): void => void samples.push({ name, help, kind: "gauge", value, labels });
  const counter = (name: string, help: string, value: number, labels?: Readonly<Record<string, string>>): void => {
    samples.push({ name, help, kind: "counter", value, ...(labels === undefined ? {} : { labels }) });
  };
  for (const [outcome, value] of counters.messages) counter("drover_messages_total", "Messages by outcome.", value, { outcome });
  for (const [reason, value] of deadLetters.counts) counter("drover_dead_letters_total", "Messages that reached nobody, by reason.", value, { reason });
  for (const [kind, value] of Object.entries(counters.unheard)) counter("drover_unheard_total", UNHEARD_HELP, value, { kind });
  counter("drover_unhandled_rejections_total", "Promises that were rejected while the system ran and that nobody in the process handled.", rejections.count);
  counter("drover_actor_restarts_total", "Restarts of actors by their entity's supervisor.", counters.restarts);
  counter("drover_entity_recoveries_total", "Entities that could not go on and were recovered from the store.", entities.recoveries);
  counter("drover_replay_divergences_total", "Recovered turns whose replay differed from what was committed.", counters.divergences);
  counter("drover_commit_batches_total", "Transactions written.", commits.batches);
  counter("drover_commit_turns_total", "Turns committed.", commits.turns);
  counter("drover_commit_failures_total", "Turns not committed, by outcome.", commits.refused, { outcome: "refused" });
  counter("drover_commit_failures_total", "Turns not committed, by outcome.", commits.unknown, { outcome: "unknown" });
  for (const [limit, value] of Object.entries(mail.refused)) counter("drover_mailbox_refused_total", "Messages turned away by a full mailbox, by what was full.", value, { limit });
  counter("drover_mailbox_replaced_total", "Waiting messages that a newer one of the same key took the place of.", mail.replaced);
  counter("drover_mailbox_shelved_total", "Messages that found their mailbox full and went to its entity's shelf.", mail.shelved);
  gauge("drover_mailbox_bytes", "What all mailboxes and shelves hold together.", mail.used, {});
  const { published, ...heard } = topics.counts;
  counter("drover_topic_published_total", "Events published to topics of this node.", published);
  for (const [outcome, value] of Object.entries(heard))
    counter(
      "drover_topic_events_total",
      "Events that came to subscriptions, by what became of them: taken by an actor, dropped for want of room, refused by its protocol.",
      value,
      { outcome },
    );
  gauge("drover_topic_subscriptions", "Subscriptions of actors to topics.", topics.listening, {});
  gauge("drover_entities_kept_out", "Entities that the node runs without, because their code ended two of its processes within an hour.", entities.keptOut, {});
  gauge("drover_activations_waiting", "Activations that wait for their turn.", gate.waiting, {});
  if (passivation !== undefined) {
    const { underWay, due, lateMs } = passivation.wakes.view();
    gauge("drover_wakes", WAKES_HELP, underWay, { state: "under-way" });
    gauge("drover_wakes", WAKES_HELP, due, { state: "due" });
    gauge("drover_wakes_late_ms", "For how long the one of them that waits longest has been due.", lateMs, {});
    counter("drover_wakes_failed_total", "Times that an entity with something to do could not be brought back; it is tried again.", passivation.wakes.failed);
  }
  for (const [cause, value] of Object.entries(passivation?.counts ?? {})) counter("drover_passivations_total", "Entities that left memory, by cause.", value, { cause });
  const byType = new Map<string, { entities: number; mail: number; shelved: number; outbox: number }>();
  for (const live of entities.all()) {
    const sum = byType.get(live.type) ?? { entities: 0, mail: 0, shelved: 0, outbox: 0 };
    byType.set(live.type, { entities: sum.entities + 1, mail: sum.mail + live.mailboxDepth, shelved: sum.shelved + live.shelved, outbox: sum.outbox + live.outboxDepth });
  }
  for (const [type, sum] of byType) {
    gauge("drover_entities", "Entities hosted here.", sum.entities, { type });
    gauge("drover_mailbox_messages", "Messages waiting in mailboxes.", sum.mail, { type });
    gauge("drover_shelf_messages", "Messages that found their mailbox full and are kept in the journal until there is room.", sum.shelved, { type });
    gauge("drover_outbox_messages", "Messages committed and not yet taken by their receivers.", sum.outbox, { type });
  }
  return samples;
}
