/** What a value is, by its first byte. */
export type JsonKind = 'string' | 'number' | 'true' | 'false' | 'null' | 'object' | 'array';

/** Where a key or a value stands in the body. One object for all of them: copy what must outlive the call. */
export interface JsonToken {
  readonly kind: JsonKind;
  /** First byte; of a string the one after its opening quote. */
  readonly start: number;
  /** The byte after the last; of a string its closing quote. A list or object has none yet when it opens. */
  readonly end: number;
  /** Whether a string holds escapes, so that its bytes are not its text. */
  readonly escaped: boolean;
  /** How many lists and objects are around it; 0 for the body itself. */
  readonly depth: number;
}

/**
 * Is called for each token of a JSON text that is scanned, with the bytes from the beginning of the text up to what has
 * arrived.
 */
export interface JsonVisitor {
  key(token: JsonToken, bytes: Buffer): void;
  /** A text, number, boolean or null. */
  scalar(token: JsonToken, bytes: Buffer): void;
  /** A list or object begins. */
  open(token: JsonToken, bytes: Buffer): void;
  /** A list or object ends; `token.end` is the byte after it, `start` says nothing. */
  close(token: JsonToken, bytes: Buffer): void;
}
