import type { AppError } from '@morgan/foundation';

/** What the body of an error is for callers of a path. */
export type ErrorBody = (error: AppError, path: string) => object;

/** OpenAI's envelope, whatever the path. */
export const openAiEnvelope: ErrorBody = (error) => error.toEnvelope();
