import { z } from 'zod';
import { sideFields, tokensField } from './asked-cut.ts';
import { checkInput, type EmbeddingInputs, MAX_INPUTS } from './embedding-input.check.ts';
import { checkChoice } from './list.check.ts';
import { promptFields } from './prompt-choice.ts';
import { AS_MADE, only } from './unserved-value.ts';
import { OUTPUT_TYPES, type OutputType } from '../response/vector-output.ts';

const LONGEST_MODALITY = 'text,'.length * MAX_INPUTS;

/** One for all texts, or one for each, as a list or with commas. */
function isText(modality: unknown): boolean {
  if (typeof modality === 'string' && modality.length > LONGEST_MODALITY) return false;
  const names = typeof modality === 'string' ? modality.split(',') : modality;
  return Array.isArray(names) && names.length > 0 && names.every((name) => name === 'text');
}

/** The element of a list of one, or what else there is. */
export function soleOf(value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? value[0] : value;
}

/** `input` as the API documentation shows it; {@link checkInput} is what it is held to. */
const TEXT = { type: 'string', minLength: 1 } as const;
const TOKEN_IDS = { type: 'array', items: { type: 'integer', minimum: 0 }, minItems: 1 } as const;
const LISTED_TEXT = {
  anyOf: [TEXT, { type: 'object', properties: { text: TEXT }, required: ['text'] }],
};
const severalOf = (items: object) => ({ type: 'array', items, minItems: 1, maxItems: MAX_INPUTS }) as const;

/** A field that holds inputs: a text, several texts, the token ids of a text, or several such lists. */
export const inputsField = z
  .unknown()
  .check(checkInput)
  .meta({ anyOf: [TEXT, severalOf(LISTED_TEXT), TOKEN_IDS, severalOf(TOKEN_IDS)] })
  .describe('A text, several texts (also as `{"text": …}`), the token ids of a text, or several such lists.');

const DENSE = 'every text has one dense vector';
const SCALES = 'normalize chooses whether vectors are scaled';
const limit = z.null('is not served: texts are cut to the limit of the model').optional();
const length = z.null('is not served: dimensions cuts vectors').optional();
const scaling = z.null(`is not served: ${SCALES}`).optional();
const pooling = z.null(`is not served: ${AS_MADE}`).optional();
const adapter = z.null('is not served: a model is served as its files are').optional();
const prefix = z.null('is not served: prompt puts a text before every text').optional();

/** Fields of other servers by which vectors would be others: only what changes none is taken. */
export const unservedFields = {
  long_text_mode: only('truncate', 'a text that is too long is cut or refused'),
  max_tokens: limit,
  max_tokens_per_text: limit,
  max_length: limit,
  max_seq_length: limit,
  truncate_input_tokens: limit,
  dimension: length,
  dimensionality: length,
  output_dimensionality: length,
  truncate_dim: length,
  late_chunking: only(false, 'every text has a vector of its own'),
  return_multivector: only(false, 'every text has one vector'),
  return_sparse: only(false, DENSE),
  output_type: only('dense', DENSE),
  add_special_tokens: only(true, AS_MADE),
  padding: only('do_not_pad', AS_MADE),
  embed_dtype: only('float32', 'output_dtype chooses the number format'),
  endianness: z
    .enum(['little', 'native'], 'is not served, but for little: bytes are little-endian')
    .nullish()
    .describe('Only `little` is served.'),
  use_activation: only(true, SCALES),
  activation: only(true, SCALES),
  embd_normalize: scaling,
  normalize_embeddings: scaling,
  precision: z.null('is not served: output_dtype chooses the number format').optional(),
  output_value: only('sentence_embedding', 'every text has one vector'),
  pooling,
  pooling_type: pooling,
  pooling_mode: pooling,
  adapter_id: adapter,
  lora_path: adapter,
  text_type: z.null('is not served: input_type chooses a prompt').optional(),
  instruction: prefix,
  instruct: prefix,
  custom_instruction: prefix,
  prompt_template: prefix,
  return_logits: z.null('is not served: every text has its vector').optional(),
  modality: z
    .unknown()
    .refine(isText, 'is not served, but for text')
    .nullish()
    .describe('Only `text` is served.'),
};

/** The body of `POST /v1/embeddings`: OpenAI's fields, and those of others for prompts and output. Fields that change no vector are ignored. */
export const embeddingsRequestSchema = z.looseObject({
  // In front: whoever sends them sends no input, and is to read why not, rather than that it is missing.
  messages: z.null('are not served: input holds the texts').optional(),
  input: inputsField,
  model: z
    .string()
    .min(1)
    .nullish()
    .describe(
      'The id of a served model, or `default`, the first one, which is also meant where none is named.',
    ),
  encoding_format: z
    .enum(['float', 'base64'])
    .nullish()
    .describe('`base64`: the bytes of the values, little-endian. Default: `float`, a list of numbers.'),
  output_dtype: z
    .enum(OUTPUT_TYPES)
    .nullish()
    .describe('Number format of the values; the small ones are made of the vector at length 1.'),
  embedding_types: z
    .unknown()
    .check(checkChoice(OUTPUT_TYPES))
    .refine((types) => (types as unknown[]).length === 1, 'one type here; POST /v2/embed takes several')
    .nullish()
    .meta({ type: 'array', items: { type: 'string', enum: OUTPUT_TYPES }, minItems: 1, maxItems: 1 })
    .describe('The same as `output_dtype`, as a list of one.'),
  embedding_type: z
    .preprocess(soleOf, z.enum([...OUTPUT_TYPES, 'base64']).nullish())
    .describe('The same, as Jina says it, also as a list of one; `base64` is the encoding of `float`.'),
  encoding_type: z.enum(OUTPUT_TYPES).nullish().describe("The same, as LlamaIndex's client of Jina says it."),
  dimensions: z.int().min(1).nullish().describe('Cuts the vectors to this length and normalises them again.'),
  output_dimension: z.int().min(1).nullish().describe('The same, as Voyage says it.'),
  normalize: z.boolean().nullish().describe('Scales the vectors to length 1 where the model does not.'),
  normalized: z.boolean().nullish().describe('The same, as Jina says it.'),
  truncate: z
    .union([z.enum(['NONE', 'START', 'END'], 'must be true or false, END, START or NONE'), z.boolean()])
    .nullish()
    .describe(
      "Cut texts above the model's limit (`true`, `END`, or `START` for a model that is made for that) or refuse them (`false`, `NONE`).",
    ),
  truncation: z.boolean().nullish().describe('The same, as Voyage says it.'),
  ...sideFields,
  truncate_prompt_tokens: tokensField,
  ...unservedFields,
  user: z.string().nullish().describe('Ignored.'),
  ...promptFields,
});

export type EmbeddingsRequest = z.infer<typeof embeddingsRequestSchema> & {
  readonly input: EmbeddingInputs;
  readonly embedding_types?: readonly [OutputType] | null;
};
