import { AppError, nearMiss } from '@morgan/foundation';
import { z } from 'zod';

/** Names that a body has and nobody reads. */
export const IGNORED_HEADER = 'x-morgan-ignored';

/** What names of fields look like; what does not may be anything, and belongs into no header and no log. */
const NAME = /^[\w.-]{1,64}$/;
const NAMES_TOLD = 8;

/**
 * Makes the look at the fields of a body that a schema does not know. A caller who has sent one believes that it was obeyed.
 * @returns what names them, as far as they may be told; undefined where there are none. It throws AppError `invalid_value` for a
 * name that is another spelling of one that is known
 */
export function unknownFields(schema: z.ZodType): (body: unknown) => string | undefined {
  if (!(schema instanceof z.ZodObject)) return () => undefined;
  const names = Object.keys(schema.shape);
  const known = new Set(names);
  return (body) => {
    let unknown: string[] | undefined;
    for (const [name, value] of Object.entries(body as object)) {
      if (!known.has(name) && value !== null) (unknown ??= []).push(name);
    }
    return unknown && told(unknown, names);
  };
}

function told(unknown: readonly string[], known: readonly string[]): string {
  const tellable = unknown.filter((name) => NAME.test(name)).slice(0, NAMES_TOLD);
  for (const name of tellable) {
    const meant = nearMiss(name, known);
    if (meant === undefined) continue;
    throw new AppError('invalid_value', `'${name}' is unknown; '${meant}' is known here.`, { param: name });
  }
  const left = unknown.length - tellable.length;
  return [...tellable, ...(left > 0 ? [`and ${left} more`] : [])].join(', ');
}
