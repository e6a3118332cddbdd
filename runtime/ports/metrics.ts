// The runtime keeps plain numbers; whoever exposes them asks for samples when it is scraped (research/ecosystem.md section 3).

export interface MetricSample {
  /** Prometheus name with unit suffix, e.g. `drover_messages_total`. */
  readonly name: string;
  readonly help: string;
  readonly kind: "counter" | "gauge";
  readonly value: number;
  /** Low cardinality only: never a vehicle or actor id. */
  readonly labels?: Readonly<Record<string, string>>;
}

export type MetricsSource = () => readonly MetricSample[];
