import type { IncomingHttpHeaders } from 'node:http';
import type { AppError } from '@morgan/foundation';

/** Whoever is told of an error, as far as the request could be read. */
export interface ErrorReader {
  /** The request target; empty where it could not be read. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** What the body of an error is for a caller. */
export type ErrorBody = (error: AppError, reader: ErrorReader) => object;

/** OpenAI's envelope, whoever reads it. */
export const openAiEnvelope: ErrorBody = (error) => error.toEnvelope();
