import type { z } from 'zod';
import type { RequestOutline } from '../openai/request-outline.ts';

/** Which of the service's limits of time holds for a call. */
export type CallClass = 'chat' | 'embeddings' | 'other';

/** One path that callers can ask, and how it gets to a host. */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** As callers write it, with `:name` for what varies. */
  readonly path: string;
  readonly summary: string;
  readonly callClass: CallClass;
  /** Whether embedding-service answers it, and no LLM host. */
  readonly isEmbedding?: boolean;
  /** Whether its body is a multipart form. */
  readonly isForm?: boolean;
  /** What the API documentation says of the body. */
  readonly schema?: z.ZodType;
  /** None where there is no body, or one that is not looked into. @throws AppError about the first field that is wrong. */
  readonly check?: ((outline: RequestOutline | undefined) => void) | undefined;
}
