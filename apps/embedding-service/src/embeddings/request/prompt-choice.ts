import { AppError } from '@morgan/foundation';
import { z } from 'zod';
import type { ModelPrompts } from '../embedding-model.ts';

/** Most characters of a prompt that a request brings along. */
const MAX_PROMPT_LENGTH = 1024;

const name = z.string().min(1).max(128).nullish();

/** The fields of a request that choose a prompt; at most one of them may be there. */
export const promptFields = {
  prompt_name: name.describe("One of the model's prompts, by its name."),
  input_type: name.describe(
    'What the texts are, as Cohere and Voyage say it: `query`, `search_query`, `document`, `search_document`, `classification`, `clustering`; or the name of a prompt.',
  ),
  task: name.describe(
    'The same as Jina says it, such as `retrieval.query`, `retrieval.passage`, `text-matching`.',
  ),
  task_type: name.describe(
    'The same as Nomic and Google say it, such as `search_query`, `RETRIEVAL_DOCUMENT`.',
  ),
  prompt: z
    .string()
    .max(MAX_PROMPT_LENGTH)
    .nullish()
    .describe('A text to put before every text in place of the model’s default prompt; empty for none.'),
};

const FIELDS = Object.keys(promptFields) as (keyof typeof promptFields)[];

/** What a request says of prompts. */
export type PromptFields = {
  readonly [Field in keyof typeof promptFields]?: string | null | undefined;
};

/** Names of one purpose, as clients ask for it and as models call their prompt for it. */
const PURPOSES: readonly (readonly string[])[] = [
  ['query', 'search_query', 'retrieval.query', 'retrieval-query', 'retrieval_query'],
  [
    'document',
    'passage',
    'search_document',
    'retrieval.passage',
    'retrieval-document',
    'retrieval_document',
    'corpus',
  ],
  ['classification'],
  ['clustering', 'separation'],
  ['similarity', 'text-matching', 'sts', 'semantic_similarity'],
];

/**
 * The prompt that a request asks for; undefined is the model's default one. A purpose that the model has no prompt for gets
 * the default one too; a name that is neither a purpose nor a prompt is refused.
 * @throws AppError `invalid_value`
 */
export function promptOf(fields: PromptFields, { byName }: ModelPrompts): string | undefined {
  const given = FIELDS.filter((field) => typeof fields[field] === 'string');
  const [field, another] = given;
  if (field === undefined) return undefined;
  if (another !== undefined)
    throw new AppError('invalid_value', `Only one of '${field}' and '${another}' may be given.`, {
      param: another,
    });
  const value = fields[field] as string;
  if (field === 'prompt') return value;
  const own = Object.hasOwn(byName, value) ? byName[value] : undefined;
  const purpose = field === 'prompt_name' ? undefined : purposeOf(value);
  if (!purpose && own === undefined) throw unknownName(field, byName);
  if (own || !purpose) return own;
  const fitting = Object.entries(byName).filter(([name]) => purpose.includes(name.toLowerCase()));
  // Files have empty prompts for `query` and `document` beside others of that purpose.
  return (fitting.find(([, prompt]) => prompt !== '') ?? fitting[0])?.[1];
}

function purposeOf(value: string): readonly string[] | undefined {
  return PURPOSES.find((names) => names.includes(value.toLowerCase()));
}

function unknownName(field: string, byName: ModelPrompts['byName']): AppError {
  const own = Object.keys(byName).join(', ') || 'none';
  const purposes = field === 'prompt_name' ? '' : ` Known everywhere: ${PURPOSES.flat().join(', ')}.`;
  return new AppError(
    'invalid_value',
    `'${field}' is unknown. The prompts of the model: ${own}.${purposes}`,
    {
      param: field,
    },
  );
}
