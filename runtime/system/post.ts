// What a mailbox has to know of a message that waits in it.

/** Of a message that came over no wire: what an event of a few fields takes in memory. */
const LOCAL_MAIL_BYTES = 256;

export interface Post {
  /** Default 256. */
  readonly bytes?: number;
  /** What waits with the same key gives way to it (mailbox B4). */
  readonly key?: string;
  /** How many before it had its key; kept by the mailbox. */
  replaces?: number;
  isReplaced?: true;
  /** On its way to the shelf. */
  isOverflow?: true;
  /** A message of the control lane. */
  isUrgent?: true;
}

/** What it counts against a limit. */
export function bytesOf(item: Post): number {
  return item.bytes ?? LOCAL_MAIL_BYTES;
}
