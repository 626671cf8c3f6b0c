import type { z } from 'zod';
import type { RequestOutline } from '../outline/request-outline.ts';

/** Which of the service's limits of time holds for a call. */
type CallClass = 'chat' | 'embeddings' | 'other';

/** One path that callers can ask, and how it gets to a host. */
export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** As callers write it, with `:name` for what varies. */
  readonly path: string;
  readonly summary: string;
  readonly callClass: CallClass;
  /** Whether embedding-service answers it, and no LLM host. */
  readonly isEmbedding?: boolean;
  /** Whether no model is asked, as where tokens are counted: nothing of what its caller may use is used. */
  readonly usesNoTokens?: boolean;
  /** Whether its body may be a multipart form. */
  readonly isForm?: boolean;
  /** What the API documentation says of the body. */
  readonly schema?: z.ZodType;
  /** Of a JSON body; none where there is no body. @throws AppError about the first field that is wrong. */
  readonly check?: ((outline: RequestOutline | undefined) => void) | undefined;
}
