import { AppError } from '@morgan/foundation';
import type { SimilarityRequest } from './similarity.schema.ts';

/** How the service names an input in errors. */
const INPUT = /^input\[(\d+)\]$/;

/** The pairs of texts of a request. @throws AppError `invalid_value` */
export function pairsOf({
  source,
  targets,
  pairs,
}: SimilarityRequest): readonly (readonly [string, string])[] {
  const isOneToMany = typeof source === 'string' && targets;
  if (pairs && !source && !targets) return pairs;
  if (isOneToMany && !pairs) return targets.map((target) => [source, target]);
  const message = "The request needs either 'source' and 'targets' or 'pairs'.";
  throw new AppError('invalid_value', message, { param: pairs ? 'pairs' : source ? 'targets' : 'source' });
}

/** An error about one of the different texts, with the field of the request that has it. */
export function inFieldsOf(request: SimilarityRequest, texts: readonly string[], error: Error): Error {
  return withParam(error, (index) => {
    const text = texts[index];
    return text === undefined ? undefined : fieldOf(request, text);
  });
}

/** An error about one of the inputs, with the field that `paramOf` says for it. */
export function withParam(error: Error, paramOf: (index: number) => string | undefined): Error {
  if (!(error instanceof AppError)) return error;
  const param = paramOf(Number(INPUT.exec(error.param ?? '')?.[1]));
  if (param === undefined) return error;
  const { code, message, retryAfterMs, cause } = error;
  return new AppError(code, message, { param, retryAfterMs, cause });
}

function fieldOf({ source, targets, pairs }: SimilarityRequest, text: string): string {
  if (!pairs) return text === source ? 'source' : `targets[${targets?.indexOf(text)}]`;
  const place = pairs.findIndex((pair) => pair.includes(text));
  return `pairs[${place}][${pairs[place]?.indexOf(text)}]`;
}
