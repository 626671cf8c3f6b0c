/** What is kept of an embedded input. Read-only: the memory level gives the same object to everybody. */
export interface CachedEmbedding {
  /** Full dimensions: shorter ones are derived from it when it is read. */
  readonly vector: Float32Array;
  readonly tokenCount: number;
  readonly truncated: boolean;
}
