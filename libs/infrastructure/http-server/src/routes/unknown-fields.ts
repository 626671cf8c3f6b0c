import { AppError, nearMiss } from '@morgan/foundation';
import { z } from 'zod';
import { tellable } from '../ignored.ts';

/**
 * Makes the look at the fields of a body that a schema does not know.
 * @returns what names them; undefined where there are none. It throws AppError `invalid_value` for a name that is another spelling of
 * one that is known
 */
export function unknownFields(schema: z.ZodType): (body: unknown) => string[] | undefined {
  if (!(schema instanceof z.ZodObject)) return () => undefined;
  const names = Object.keys(schema.shape);
  const known = new Set(names);
  return (body) => {
    let unknown: string[] | undefined;
    for (const [name, value] of Object.entries(body as object)) {
      if (!known.has(name) && value !== null) (unknown ??= []).push(name);
    }
    if (unknown) refuseMisspelt(tellable(unknown), names);
    return unknown;
  };
}

function refuseMisspelt(unknown: readonly string[], known: readonly string[]): void {
  for (const name of unknown) {
    const meant = nearMiss(name, known);
    if (meant === undefined) continue;
    throw new AppError('invalid_value', `'${name}' is unknown; '${meant}' is known here.`, { param: name });
  }
}
