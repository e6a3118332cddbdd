// The single values of a configuration, named the same way everywhere: `http.port` in --set and in messages, DROVER_HTTP_PORT in the environment. Derived from the schema, never listed.

/** The part of JSON Schema that the nodes' configurations use. */
export interface Shape {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly patternProperties?: Readonly<Record<string, Shape>>;
  readonly anyOf?: readonly Shape[];
  readonly required?: readonly string[] | undefined;
  /** The value, or the file in it, is a path; a command is one where it has a `/`. */
  readonly "x-path"?: "file" | "url" | "command";
}

export interface Setting {
  /** `http.port` */
  readonly path: string;
  /** `DROVER_HTTP_PORT` */
  readonly env: string;
  readonly type: "string" | "number" | "boolean";
  readonly description: string | undefined;
}

/** All values that can be given one by one; entries of open maps (a vehicle's buses) are given in the file only. */
export function settingsOf(schema: Shape, above: readonly string[] = []): readonly Setting[] {
  if (schema.anyOf !== undefined) return distinct(schema.anyOf.flatMap((shape) => settingsOf(shape, above)));
  if (schema.type === "object") return distinct(Object.entries(schema.properties ?? {}).flatMap(([key, shape]) => settingsOf(shape, [...above, key])));
  if (above.length === 0 || schema.type === "array") return [];
  const type = schema.type === "boolean" ? "boolean" : schema.type === "integer" || schema.type === "number" ? "number" : "string";
  return [{ path: above.join("."), env: `DROVER_${above.join("_").toUpperCase()}`, type, description: schema.description }];
}

/** As the schema's type wants it; what does not fit stays a text, and the check says so. */
export function valueOf(setting: Setting, text: string): string | number | boolean {
  if (setting.type === "number" && text.trim() !== "" && Number.isFinite(Number(text))) return Number(text);
  if (setting.type === "boolean" && (text === "true" || text === "false")) return text === "true";
  return text;
}

/** The same schema with nothing required: a file may leave to the environment what it wants. */
export function withoutRequired(schema: Shape): Shape {
  const { required: _required, ...rest } = schema;
  const inside = (shapes: Readonly<Record<string, Shape>>): Record<string, Shape> =>
    Object.fromEntries(Object.entries(shapes).map(([key, shape]) => [key, withoutRequired(shape)]));
  return {
    ...rest,
    ...(schema.properties === undefined ? {} : { properties: inside(schema.properties) }),
    ...(schema.patternProperties === undefined ? {} : { patternProperties: inside(schema.patternProperties) }),
    ...(schema.anyOf === undefined ? {} : { anyOf: schema.anyOf.map(withoutRequired) }),
  };
}

function distinct(settings: readonly Setting[]): readonly Setting[] {
  return [...new Map(settings.map((setting) => [setting.path, setting])).values()];
}
