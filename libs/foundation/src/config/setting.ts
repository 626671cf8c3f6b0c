import { z } from 'zod';

/** What the manual says about one configuration key. */
interface SettingMeta {
  /** The environment variable that sets it. It wins over the file. */
  readonly env?: string;
  /** One sentence for docs/configuration.md, with the unit where there is one. */
  readonly doc: string;
  /** Its value is never printed. */
  readonly secret?: boolean;
  /** The setting without which this one does nothing, by its path or the end of it: made alone, this one is refused. */
  readonly needs?: string;
}

const settings = z.registry<SettingMeta>();

/** Attaches environment name and documentation to a schema. Call it last: zod's further methods make a new schema. */
export function setting<Schema extends z.ZodType>(schema: Schema, meta: SettingMeta): Schema {
  settings.add(schema, meta);
  return schema;
}

/** One leaf of a configuration schema. */
export interface SettingEntry extends SettingMeta {
  /** Dotted path in the YAML file, such as `llm.hosts`. */
  readonly path: string;
  readonly schema: z.ZodType;
}

/** Lists every setting of a schema built from nested objects, or unions of one and something else, in the order they are written. */
export function listSettings(schema: z.ZodType, path: readonly string[] = []): SettingEntry[] {
  const meta = settings.get(schema);
  if (meta) return [{ ...meta, path: path.join('.'), schema }];
  const inner = unwrap(schema);
  if (inner instanceof z.ZodUnion)
    return (inner.options as z.ZodType[]).flatMap((option) => listSettings(option, path));
  if (!(inner instanceof z.ZodObject)) return [];
  const shape = inner.shape as Record<string, z.ZodType>;
  return Object.entries(shape).flatMap(([key, child]) => listSettings(child, [...path, key]));
}

/** Takes off `default`, `optional`, `prefault` and pipes, down to the type that a written value must have. */
export function unwrap(schema: z.ZodType): z.ZodType {
  let current: z.ZodType = schema;
  for (;;) {
    if (
      current instanceof z.ZodDefault ||
      current instanceof z.ZodOptional ||
      current instanceof z.ZodPrefault ||
      current instanceof z.ZodNullable
    ) {
      current = current.unwrap() as z.ZodType;
    } else if (current instanceof z.ZodPipe) {
      current = current.in as z.ZodType;
    } else {
      return current;
    }
  }
}
