// Text that is bounded where it is told.

/** Its first code units, at most so many, without half a character at the end: that is no text which can be sent. */
export function cutTo(text: string, most: number): string {
  const cut = text.slice(0, most);
  return text.length > most && /[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut;
}
