import { z } from 'zod';

/** What sets a weight. */
export const weightSchema = z.strictObject({ weight: z.number().positive().max(1000) });

/** A request that is to be explained: its own body, or the model alone. */
export const explainSchema = z
  .strictObject({
    /** As callers ask: `/v1/chat/completions`. */
    path: z.string().startsWith('/').max(256).default('/v1/chat/completions'),
    method: z.enum(['GET', 'POST', 'DELETE']).default('POST'),
    model: z.string().min(1).max(256).optional(),
    body: z.record(z.string(), z.unknown()).optional(),
    headers: z.record(z.string(), z.string()).default({}),
  })
  .refine(({ method, model, body }) => method !== 'POST' || (model === undefined) !== (body === undefined), {
    path: ['model'],
    message: 'name a model or give a body, one of them',
  });

export type WeightRequest = z.output<typeof weightSchema>;
export type ExplainRequest = z.input<typeof explainSchema>;
