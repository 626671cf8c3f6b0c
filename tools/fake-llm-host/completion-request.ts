import { RequestRefused } from './error-reply.ts';
import type { Limits } from './generation.ts';

/** What chat and text completions have in common, checked. */
export interface CompletionRequest extends Limits {
  readonly model: string;
  readonly n: number;
  readonly isStream: boolean;
  readonly includeUsage: boolean;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Reads and checks a request body. @throws RequestRefused with the status and code that OpenAI's API uses. */
export function readCompletionRequest(body: Buffer, models: readonly string[]): CompletionRequest {
  const fields = parseObject(body);
  const { model, stream, stream_options: streamOptions } = fields;
  if (typeof model !== 'string') throw invalid('model', 'you must provide a model parameter');
  if (!models.includes(model)) throw unknownModel(model);
  const limit = fields['max_completion_tokens'] ?? fields['max_tokens'];
  return {
    model,
    n: positiveInteger(fields['n'] ?? 1, 'n'),
    isStream: stream === true,
    includeUsage: (streamOptions as { include_usage?: unknown } | null | undefined)?.include_usage === true,
    maxTokens: limit === undefined || limit === null ? Infinity : positiveInteger(limit, 'max_tokens'),
    stop: stopTexts(fields['stop']),
    fields,
  };
}

/** The refusal of a model that the host does not have. */
export function unknownModel(model: string): RequestRefused {
  return new RequestRefused(404, `The model \`${model}\` does not exist on this simulated host.`, {
    param: 'model',
    code: 'model_not_found',
  });
}

/** The refusal of one field. */
export function invalid(param: string, message: string): RequestRefused {
  return new RequestRefused(400, `${param}: ${message}`, { param, code: 'invalid_value' });
}

function parseObject(body: Buffer): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(body.toString());
  } catch {
    throw new RequestRefused(400, 'The body is not valid JSON.', { code: 'invalid_json' });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new RequestRefused(400, 'The body must be a JSON object.', { code: 'invalid_json' });
  }
  return value as Record<string, unknown>;
}

function positiveInteger(value: unknown, param: string): number {
  if (Number.isInteger(value) && (value as number) > 0) return value as number;
  throw invalid(param, 'must be a positive integer');
}

function stopTexts(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (!list.every((item) => typeof item === 'string' && item !== ''))
    throw invalid('stop', 'must be a text or texts');
  return list as string[];
}
