// ETags of actors: the entity's revision in quotes. They stand for the committed state; age and presence of a replica change without it.

const TAG = /^(W\/)?"([\x21\x23-\x7e]*)"$/;

export function entityTag(revision: number): string {
  return `"${String(revision)}"`;
}

/** `If-None-Match`: the client holds this state already. Compared weakly (RFC 9110 13.1.2); what cannot be read matches nothing. */
export function isHeld(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  return header.trim() === "*" || tagsIn(header).some((found) => found.replace(/^W\//, "") === tag);
}

/** `If-Match`: whether the write may go on. Compared strongly (RFC 9110 13.1.1); undefined when it cannot be read. */
export function isMatch(header: string, tag: string): boolean | undefined {
  if (header.trim() === "*") return true;
  const tags = tagsIn(header);
  return tags.every((found) => TAG.test(found)) ? tags.includes(tag) : undefined;
}

function tagsIn(header: string): readonly string[] {
  return header.split(",").map((item) => item.trim());
}
