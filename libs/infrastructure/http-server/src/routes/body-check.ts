import { z } from 'zod';
import { refusalOf } from './request-validation.ts';

/** Refuses a body that is not as a schema says. @throws AppError about its first fault */
type BodyCheck = (body: unknown) => void;

/** A schema of an object's fields, each of which it looks at by itself. */
interface Fields {
  readonly byName: ReadonlyMap<string, z.ZodType>;
  /** Names of fields that are required. */
  readonly needed: readonly string[];
}

/**
 * Of a body with few of the fields that a schema knows, only these are looked at: zod would run all of them, which for one text's
 * vector took a twentieth of the request (docs/performance.md). Whatever is not good is for the whole schema to judge.
 */
export function bodyCheck(schema: z.ZodType): BodyCheck {
  const fields = fieldsOf(schema);
  return (body) => {
    if (fields && isGood(body, fields)) return;
    const { error } = schema.safeParse(body);
    if (error) throw refusalOf(error.issues);
  };
}

/** Undefined where the schema does more than to look at each field. */
function fieldsOf(schema: z.ZodType): Fields | undefined {
  if (!(schema instanceof z.ZodObject)) return undefined;
  const { catchall, checks = [] } = schema.def;
  if (!(catchall instanceof z.ZodUnknown) || checks.length > 0) return undefined;
  const shape: Readonly<Record<string, z.ZodType>> = schema.shape;
  const byName = new Map(Object.entries(shape));
  const needed = [...byName].filter(([, field]) => !field.safeParse(undefined).success).map(([name]) => name);
  return { byName, needed };
}

function isGood(body: unknown, { byName, needed }: Fields): boolean {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return false;
  const given = body as Readonly<Record<string, unknown>>;
  for (const name of needed) if (!Object.hasOwn(given, name)) return false;
  for (const name of Object.keys(given)) {
    const field = byName.get(name);
    if (field && !field.safeParse(given[name]).success) return false;
  }
  return true;
}
