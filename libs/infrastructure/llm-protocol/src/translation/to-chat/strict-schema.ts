import { isObject } from '@morgan/foundation';

/** Where a schema has others: by their names, and in a list or alone. */
const NAMED = ['properties', '$defs', 'definitions'];
const NESTED = ['items', 'anyOf', 'oneOf', 'allOf'];

/**
 * Whether OpenAI takes a schema as a strict one: each object has to require all its properties, and to allow no others. Anthropic
 * takes properties that may be left out as well, and OpenAI refuses a request that calls such a schema strict.
 */
export function isStrictSchema(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(isStrictSchema);
  if (!isObject(schema)) return true;
  const { type, properties, required, additionalProperties } = schema;
  const isOfObject =
    type === 'object' || (Array.isArray(type) && type.includes('object')) || isObject(properties);
  const asked: readonly unknown[] = Array.isArray(required) ? required : [];
  const names = isObject(properties) ? Object.keys(properties) : [];
  if (isOfObject && (additionalProperties !== false || !names.every((name) => asked.includes(name))))
    return false;
  const named = NAMED.flatMap((name) => (isObject(schema[name]) ? Object.values(schema[name]) : []));
  return [...named, ...NESTED.map((name) => schema[name])].every(isStrictSchema);
}
