/** Bounds of a JSON text, crossed before anything is built from it. */
export interface JsonLimits {
  /** Most lists and objects around a value. */
  readonly maxDepth: number;
  /** Most values: texts, numbers, lists, objects and so on, wherever they stand. Keys do not count. */
  readonly maxValues: number;
}

/** `syntax` and `encoding` (not UTF-8): no JSON. `depth` and `values`: more than the limits allow. */
type JsonFaultReason = 'syntax' | 'encoding' | 'depth' | 'values';

/** Why a JSON text is refused, and at which byte. Holds none of the text. */
export class JsonFault extends Error {
  override readonly name = 'JsonFault';

  constructor(
    readonly reason: JsonFaultReason,
    readonly offset: number,
  ) {
    super(`invalid JSON (${reason}) at byte ${offset}`);
  }
}
