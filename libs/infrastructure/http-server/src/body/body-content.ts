import { AppError } from '@morgan/foundation';
import { JsonFault, type JsonLimits } from '../json/json-fault.ts';
import { JsonScanner } from '../json/json-scanner.ts';
import { BodyBuffer } from './body-buffer.ts';
import type { BodyCharge } from '../admission/body-charge.ts';
import type { BodyAssembly, BodyFormat } from './body-format.ts';

/** A body that is no longer than this, as most are, waits for no other. */
export const SHORT_BYTES = 16 * 1024;

/** What a byte counts in `inTurn`, in milliseconds: 256 kB fill the 5 of a turn, however many values there are in them. */
export const MS_A_BYTE = 5 / (256 * 1024);

const BYTE_ORDER_MARK = Buffer.from('\uFEFF');

/** What the content of a body is held to. */
export interface BodyContentOptions {
  readonly format: BodyFormat;
  /** What of the memory for bodies the call holds; raised where the body turns out longer. */
  readonly charge: BodyCharge;
  /** Its `content-length`, if that is the length of the JSON text. */
  readonly declared: number | undefined;
  /** The most that its decoder keeps of it, see {@link windowOf}; it counts while it decodes. */
  readonly windowBytes: number;
  /** The most bytes of JSON text, after decoding. */
  readonly limitBytes: number;
  readonly json: JsonLimits;
}

/**
 * The JSON of one body. It is checked as it comes, and nothing is built from a body that is not complete, valid and within
 * its limits.
 */
export class BodyContent {
  readonly #buffer: BodyBuffer;
  readonly #assembly: BodyAssembly;
  readonly #scanner: JsonScanner;

  constructor(private readonly options: BodyContentOptions) {
    this.#buffer = new BodyBuffer(options.declared, options.limitBytes);
    this.#assembly = options.format.begin();
    this.#scanner = new JsonScanner(this.#assembly.visitor, options.json);
  }

  /** Bytes that have come. */
  get length(): number {
    return this.#buffer.length;
  }

  /** @throws whatever {@link explain} takes: the body is refused. */
  take(piece: Buffer): void {
    const { limitBytes, windowBytes, charge } = this.options;
    if (this.#buffer.length + piece.length > limitBytes) throw bodyTooLarge(limitBytes);
    const capacity = this.#buffer.capacityFor(piece.length);
    charge.growTo(capacity + Math.min(windowBytes, capacity));
    this.#buffer.append(piece);
    this.#scanner.advance(this.#buffer.bytes, this.#buffer.length);
  }

  /**
   * All of it has come.
   * @returns what it becomes, or a promise of that; undefined of an empty one.
   * @throws as {@link take}
   */
  finish(): unknown {
    const bytes = this.#buffer.whole();
    if (bytes.length === 0) return undefined;
    if (this.options.windowBytes > 0) this.options.charge.shrinkTo(this.#buffer.bytes.length);
    this.#scanner.finish(bytes);
    return this.#assembly.finish(bytes);
  }

  /** Lets go of the memory. */
  release(): void {
    this.#buffer.release();
  }

  /** What the caller is told of a fault; before {@link release}. */
  explain(error: unknown): AppError {
    if (error instanceof AppError) return error;
    if (!(error instanceof JsonFault))
      return new AppError('internal_error', 'Something went wrong in this service.', { cause: error });
    const { maxDepth, maxValues } = this.options.json;
    if (error.reason === 'depth')
      return new AppError('body_too_complex', `The request body is nested deeper than ${maxDepth} levels.`);
    if (error.reason === 'values')
      return new AppError('body_too_complex', `The request body has more than ${maxValues} values.`);
    return new AppError('invalid_json', `The request body is not valid JSON: ${this.#whereIs(error)}.`);
  }

  #whereIs({ reason, offset }: JsonFault): string {
    if (reason === 'encoding') return `it is not UTF-8 from byte ${offset}`;
    const hasMark =
      offset === 0 && this.#buffer.bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK);
    return hasMark ? 'it begins with a byte order mark' : `the fault is at byte ${offset}`;
  }
}

/** The refusal of a body above the limit. */
export function bodyTooLarge(limitBytes: number): AppError {
  return new AppError(
    'request_too_large',
    `The request body is larger than the limit of ${limitBytes} bytes.`,
  );
}
