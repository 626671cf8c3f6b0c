/** The LLM hosts. */
export const LLM_UPSTREAM = Symbol('LLM_UPSTREAM');

/** embedding-service, behind the same client. */
export const EMBEDDING_UPSTREAM = Symbol('EMBEDDING_UPSTREAM');
