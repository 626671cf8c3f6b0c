import { AppError } from '@morgan/foundation';
import type { ModelKind } from './model/embedding-model.types.ts';

/** What a caller who was refused while the model loads should wait before the next try. */
const RETRY_AFTER_MS = 1_000;

/** It is a model of the other kind. */
export function notFor(wanted: ModelKind, id: string): AppError {
  const message =
    wanted === 'ranking'
      ? `The model '${id}' gives embeddings of texts and no ranking, which takes a cross-encoder.`
      : `The model '${id}' is a cross-encoder: it ranks texts and gives no embeddings.`;
  return new AppError('unsupported_by_model', message, { param: 'model' });
}

/** Its graph pools. */
export function hasNoTokenVectors(id: string): AppError {
  const message = `The graph of the model '${id}' gives one vector for each text and shows none of single tokens.`;
  return new AppError('unsupported_by_model', message, { param: 'model' });
}

/** Its processes are starting, or they are gone. */
export function notLoaded(): AppError {
  return new AppError('model_loading', 'The embedding model is not loaded. Try again later.', {
    retryAfterMs: RETRY_AFTER_MS,
  });
}
