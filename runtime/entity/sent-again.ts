// Ids of dead letters that are sent again (system/dead-letters.ts), whoever sends them and from whichever node.
//
// A1. Under such an id a message acts once. Where it came to nothing nothing of it is kept: the next time it is judged anew, and what it is told is true then (rules M2).

const SENT_AGAIN = "dead-letter.";

/** @param message what names the message that reached nobody */
export function sentAgainId(message: string): string {
  return `${SENT_AGAIN}${message}`;
}

export function isSentAgain(id: string): boolean {
  return id.startsWith(SENT_AGAIN);
}

/** What names the message that is sent again under this id. */
export function messageSentAgain(id: string): string | undefined {
  return isSentAgain(id) ? id.slice(SENT_AGAIN.length) : undefined;
}
