// Keys and patterns of the port as topics and filters of MQTT: `*` is `+`, a final `**` is `#`. An ask travels on its key with one more level, so that it never looks like a message.

const ASK_LEVEL = "@ask";
const ASK_SUFFIX = `/${ASK_LEVEL}`;

export function filterOf(pattern: string): string {
  return pattern
    .split("/")
    .map((level) => (level === "*" ? "+" : level === "**" ? "#" : level))
    .join("/");
}

/** The other way round. */
export function patternOf(filter: string): string {
  return filter
    .split("/")
    .map((level) => (level === "+" ? "*" : level === "#" ? "**" : level))
    .join("/");
}

/** The filter under which asks of a served pattern arrive. */
export function askFilterOf(pattern: string): string {
  return pattern === "**" || pattern.endsWith("/**") ? filterOf(pattern) : `${filterOf(pattern)}${ASK_SUFFIX}`;
}

export function askTopicOf(key: string): string {
  return `${key}${ASK_SUFFIX}`;
}

/** The key that is asked, or undefined for a topic that carries no ask. */
export function askedKey(topic: string): string | undefined {
  return topic.endsWith(ASK_SUFFIX) ? topic.slice(0, -ASK_SUFFIX.length) : undefined;
}
