// What an error says.

/** Whatever was thrown, a text that can be kept. */
export function messageOf(error: unknown): string {
  try {
    const message: unknown = error instanceof Error ? error.message : error;
    if (typeof message === "string") return message;
    if (message === undefined || typeof message === "function" || typeof message === "symbol") return String(message);
    // What `toJSON` gives may be nothing.
    return [JSON.stringify(message)].join("");
  } catch {
    return "an error that cannot be shown";
  }
}
