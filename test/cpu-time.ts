// Time that this process has computed, ms: what a bound on work is held to, since other tests share the machine's cores.

export function cpuTimeMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
