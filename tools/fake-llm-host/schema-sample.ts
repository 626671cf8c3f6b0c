interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
}

/** The smallest value that fits a JSON schema of the plain kind that tools and structured answers use. */
export function sampleOf(schema: unknown): unknown {
  const { type, enum: allowed, properties = {}, required = [] } = (schema ?? {}) as JsonSchema;
  if (allowed && allowed.length > 0) return allowed[0];
  switch (type ?? 'object') {
    case 'string':
      return 'simulated';
    case 'integer':
    case 'number':
      return 0;
    case 'boolean':
      return false;
    case 'array':
      return [];
    case 'null':
      return null;
    default:
      return Object.fromEntries(required.map((key) => [key, sampleOf(properties[key])]));
  }
}
