/** What stands in a record under a name that an author chose: `constructor` and the other names of Object.prototype are names like any other. */
export function ownOf<V>(record: Readonly<Record<string, V>>, name: string): V | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
