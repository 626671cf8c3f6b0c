import { z } from 'zod';
import { MAX_MODEL_LENGTH } from '../outline/request-checks.ts';

/**
 * What the API documentation says of requests: the part that the gateway itself needs to know. Everything else reaches the
 * host untouched, so that new fields of the API work on the day they appear. Requests are not validated with these, which
 * would take parsing them whole, but by `request-checks.ts`; a test holds both equal.
 */
const model = z.string().min(1).max(MAX_MODEL_LENGTH).describe('Model to ask, as listed by `/v1/models`.');
const stream = z.boolean().nullish().describe('Answer with server-sent events.');

export const chatCompletionSchema = z.looseObject({
  model,
  messages: z
    .array(z.looseObject({ role: z.string().min(1) }))
    .min(1)
    .describe('The conversation so far.'),
  stream,
});

export const completionSchema = z.looseObject({
  model,
  prompt: z
    .union([
      z.string(),
      z.array(z.string()).min(1),
      z.array(z.int()).min(1),
      z.array(z.array(z.int())).min(1),
    ])
    .describe('Text, texts, token ids or lists of them.'),
  stream,
});

/** The embedding-service validates the rest: the gateway would only do it twice. */
export const embeddingSchema = z.looseObject({ model: model.optional(), input: z.unknown() });
