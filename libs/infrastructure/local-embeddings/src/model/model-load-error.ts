/** A model that cannot be loaded. The message says what to mend. */
export class ModelLoadError extends Error {
  override readonly name = 'ModelLoadError';
}
