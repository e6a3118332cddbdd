// Numbers for Prometheus: the runtime's own, asked for at each scrape, and those of this façade. No label is an address: a fleet would make a series of each vehicle.

import type { FastifyInstance } from "fastify";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Log, MetricSample, MetricsSource } from "../../../runtime/ports/index.ts";
import { answers } from "../schemas.ts";
import type { RouteParts, Routes } from "./parts.ts";

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60];

export const metricsRoutes: Routes = (app, parts) => {
  const own = new Registry();
  countRequests(app, own, parts);
  let failures = 0;
  const sources: readonly MetricsSource[] = [
    () => parts.system.metrics(),
    ...(parts.metrics ?? []),
    () => facadeSamples(parts),
    processSamples,
    () => [{ name: "drover_metrics_source_failures_total", help: "Sources of metrics that failed at a scrape.", kind: "counter", value: failures }],
  ];

  app.get(
    "/metrics",
    {
      config: { role: "viewer" },
      schema: {
        summary: "Metrics in Prometheus' text format",
        tags: ["nodes"],
        response: answers({ 200: { description: "the metrics", content: { "text/plain": { schema: { type: "string" } } } } }),
      },
    },
    async (_request, reply) => {
      const scraped = new Registry();
      const samples = sources.flatMap((source) => {
        try {
          return source();
        } catch (err) {
          failures++;
          parts.log.error({ err }, "a source of metrics failed");
          return [];
        }
      });
      fill(scraped, samples, parts.log);
      return reply.type(Registry.PROMETHEUS_CONTENT_TYPE).send(await Registry.merge([own, scraped]).metrics());
    },
  );
};

/** Samples of one name are one metric; its labels are all that any of them has. */
function fill(registry: Registry, samples: readonly MetricSample[], log: Log): void {
  const byName = new Map<string, MetricSample[]>();
  for (const sample of samples) {
    const group = byName.get(sample.name);
    if (group === undefined) byName.set(sample.name, [sample]);
    else group.push(sample);
  }
  for (const [name, group] of byName) {
    const [first] = group;
    if (first === undefined || !NAME.test(name)) {
      log.warn({ name }, "a metric has a name that Prometheus does not take");
      continue;
    }
    const labelNames = [...new Set(group.flatMap((sample) => Object.keys(sample.labels ?? {})))];
    const options = { name, help: first.help, labelNames, registers: [registry] };
    const add = first.kind === "counter" ? counting(new Counter(options)) : setting(new Gauge(options));
    for (const { labels = {}, value } of group) if (Number.isFinite(value)) add({ ...labels }, value);
  }
}

type Add = (labels: Record<string, string>, value: number) => void;

function counting(counter: Counter): Add {
  return (labels, value) => {
    if (value >= 0) counter.inc(labels, value);
  };
}

function setting(gauge: Gauge): Add {
  return (labels, value) => {
    gauge.set(labels, value);
  };
}

function countRequests(app: FastifyInstance, registry: Registry, { clock }: RouteParts): void {
  const seconds = new Histogram({
    name: "drover_http_request_seconds",
    help: "Requests by route, method and status.",
    labelNames: ["route", "method", "status"],
    buckets: SECONDS,
    registers: [registry],
  });
  const begun = new WeakMap<object, number>();
  app.addHook("onRequest", async (request) => {
    begun.set(request, clock.monotonic());
  });
  app.addHook("onResponse", async (request, reply) => {
    const since = begun.get(request);
    if (since === undefined) return;
    // Streams last as long as somebody looks.
    if (String(reply.getHeader("content-type")).startsWith("text/event-stream") || request.routeOptions.url?.endsWith("/stream") === true) return;
    seconds.observe({ route: request.routeOptions.url ?? "none", method: request.method, status: String(reply.statusCode) }, (clock.monotonic() - since) / 1000);
  });
}

function facadeSamples({ streams, sessions, failures, leftOut }: RouteParts): readonly MetricSample[] {
  return [
    { name: "drover_http_streams", help: "Event streams open.", kind: "gauge", value: streams.size },
    { name: "drover_http_sessions", help: "Sessions of people at a browser.", kind: "gauge", value: sessions.size },
    { name: "drover_http_failed_logins_total", help: "Attempts to sign in that failed.", kind: "counter", value: failures.total },
    { name: "drover_http_items_left_out_total", help: "Items of lists that could not be written.", kind: "counter", value: leftOut.count },
  ];
}

function processSamples(): readonly MetricSample[] {
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return [
    { name: "process_resident_memory_bytes", help: "Resident memory.", kind: "gauge", value: rss },
    { name: "process_cpu_seconds_total", help: "Processor time, user and system.", kind: "counter", value: (user + system) / 1e6 },
    { name: "nodejs_heap_size_used_bytes", help: "JavaScript heap in use.", kind: "gauge", value: heapUsed },
    { name: "nodejs_heap_size_total_bytes", help: "JavaScript heap.", kind: "gauge", value: heapTotal },
    { name: "nodejs_external_memory_bytes", help: "Memory of objects bound to JavaScript ones.", kind: "gauge", value: external },
  ];
}
