// "Did you mean …?": the known name that is nearest to a misspelt one.

/** Longer names are compared by their first part only; names in these files are short. */
const MAX_COMPARED = 64;

/** The nearest of `known`, or undefined when none is near: at most a third of the letters may differ, at least one, letter case aside. */
export function nearestName(written: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  const left = written.slice(0, MAX_COMPARED).toLowerCase();
  for (const name of known) {
    if (name === written) continue;
    const limit = Math.max(1, Math.floor(Math.max(left.length, Math.min(name.length, MAX_COMPARED)) / 3));
    const distance = editDistance(left, name.slice(0, MAX_COMPARED).toLowerCase(), Math.min(limit, bestDistance - 1));
    if (distance !== undefined && distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** Optimal string alignment: insert, delete, replace, swap of neighbours cost 1 each. undefined when it is over `limit`. */
function editDistance(left: string, right: string, limit: number): number | undefined {
  if (limit < 0 || Math.abs(left.length - right.length) > limit) return undefined;
  let twoBack: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    let least = row;
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1];
      let cost = Math.min((previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (previous[column - 1] ?? 0) + (same ? 0 : 1));
      if (row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]) cost = Math.min(cost, (twoBack[column - 2] ?? 0) + 1);
      current.push(cost);
      least = Math.min(least, cost);
    }
    if (least > limit) return undefined;
    twoBack = previous;
    previous = current;
  }
  const distance = previous[right.length] ?? 0;
  return distance <= limit ? distance : undefined;
}
