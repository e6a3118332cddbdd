// The plain counters of links and of the embedded broker as samples for whoever scrapes.

import type { MetricSample } from "../../runtime/ports/index.ts";

/** What stands now; everything else only grows. */
const LEVELS: ReadonlySet<string> = new Set(["inFlight", "waiting", "waitingBytes", "bufferedBytes", "asksPending", "asksServed"]);

/** `drover_broker_events_total{event="refused_logins"}` and its like: connections, refusals, drops of the embedded broker. */
export function brokerMetrics(counters: Readonly<Record<string, number>>): readonly MetricSample[] {
  return Object.entries(counters).map(([name, value]) => ({
    name: "drover_broker_events_total",
    help: "What the embedded broker took, refused and dropped.",
    kind: "counter",
    value,
    labels: { event: snakeCase(name) },
  }));
}

/** `drover_link_events_total{event="reconnects"}`, `drover_link_level{of="in_flight"}` and their like, of one transport. */
export function linkMetrics(counters: Readonly<Record<string, number>>): readonly MetricSample[] {
  return Object.entries(counters).map(([name, value]) =>
    LEVELS.has(name)
      ? { name: "drover_link_level", help: "What waits or is under way on the link, messages or bytes.", kind: "gauge", value, labels: { of: snakeCase(name) } }
      : { name: "drover_link_events_total", help: "What the link sent, received, refused and lost.", kind: "counter", value, labels: { event: snakeCase(name) } },
  );
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
