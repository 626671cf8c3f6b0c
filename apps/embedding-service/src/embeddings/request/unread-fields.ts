import { AppError } from '@morgan/foundation';
import type { z } from 'zod';
import { embeddingsRequestSchema, unservedFields } from './embeddings.schema.ts';

/** The fields that calls of one kind may have, at whichever path. */
export interface Vocabulary {
  /** The path that reads them. */
  readonly path: string;
  readonly known: z.ZodRawShape;
  /** Known fields that no path serves, except with the value that changes nothing. */
  readonly unserved: z.ZodRawShape;
  /** What some of the others say where nobody reads them. */
  readonly usual: Readonly<Record<string, unknown>>;
}

/** The fields of calls for vectors. */
export const EMBEDDING_FIELDS: Vocabulary = {
  path: '/v1/embeddings',
  known: embeddingsRequestSchema.shape,
  unserved: unservedFields,
  usual: {
    encoding_format: 'float',
    output_dtype: 'float',
    embedding_type: 'float',
    encoding_type: 'float',
    truncate_prompt_tokens: -1,
  },
};

/** Fields by which no answer is another one, or that are refused where they are missing. */
const WITHOUT_EFFECT: readonly string[] = ['user', 'model', 'input', 'messages'];

/**
 * Makes the check of a path that reads fewer fields than another does: clients of several APIs meet here, and a field that only another
 * path reads would have no effect, without a word. @returns what throws AppError `unsupported_parameter` about the first such field
 */
export function unreadCheck(
  own: z.ZodObject,
  { path, known, unserved, usual }: Vocabulary,
): (body: object) => void {
  const others = Object.keys(known).filter(
    (name) => !Object.hasOwn(own.shape, name) && !WITHOUT_EFFECT.includes(name),
  );
  const unread = new Map(others.map((name) => [name, unserved[name] as z.ZodType | undefined]));
  return (body) => {
    for (const [name, value] of Object.entries(body)) {
      if (!unread.has(name) || value === null || value === usual[name]) continue;
      const field = unread.get(name);
      if (field?.safeParse(value).success) continue;
      const what = field ? 'is not served' : `is not read at this path: ${path} has it`;
      throw new AppError('unsupported_parameter', `'${name}' ${what}.`, { param: name });
    }
  };
}
