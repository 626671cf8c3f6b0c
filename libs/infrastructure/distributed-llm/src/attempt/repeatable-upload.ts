import type { Readable } from 'node:stream';

/** Bytes in an upload that stand for the name of the model. */
type Span = readonly [start: number, end: number];

/**
 * An upload that is passed on without being held whole. Its beginning is kept, so that it can be sent to another host as
 * long as no more than that has been sent; each later piece is dropped once it was sent.
 */
export class RepeatableUpload {
  /** Where the name of the model stands, for targets that have another. */
  modelAt: Span | undefined;
  /** The model that is asked for where a target has no other: in place of the one that the upload names. */
  modelAs: string | undefined;
  /** Sees each further piece before it is sent; what it throws breaks the upload. */
  onPiece: ((piece: Buffer) => void) | undefined;
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #kept: Buffer[] = [];
  #keptBytes = 0;
  #forgotten = 0;
  #completedAt: number | undefined;
  #head: Buffer | undefined;
  #pulling: Promise<void> | undefined;

  /**
   * @param source is destroyed by {@link RepeatableUpload.close} or by its own fault, never by a host.
   * @param length in bytes, if it is known.
   * @param keepBytes the most that is kept.
   */
  constructor(
    private readonly source: Readable,
    readonly length: number | undefined,
    private readonly keepBytes: number,
  ) {
    this.#chunks = source.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  }

  /** Whether all that was sent is still here. */
  get canRepeat(): boolean {
    return this.#forgotten === 0;
  }

  /** The first bytes of the upload, by which it is told from others. */
  get head(): Buffer | undefined {
    return this.#head;
  }

  /**
   * Reads ahead, at most what is kept.
   * @param take gets each piece; it says when it has seen enough.
   * @returns whether it did before the end, and before there was no more room.
   */
  async peek(take: (chunk: Buffer) => boolean): Promise<boolean> {
    while (this.#keptBytes < this.keepBytes) {
      const count = this.#kept.length;
      await this.#pull();
      const chunk = this.#kept[count];
      if (!chunk) return false;
      if (take(chunk)) return true;
    }
    return false;
  }

  /** Whether it has come to its end. */
  get isComplete(): boolean {
    return this.#completedAt !== undefined;
  }

  /** When it had come to its end. */
  get completedAt(): number | undefined {
    return this.#completedAt;
  }

  /**
   * All of it, from its beginning, for one host at a time.
   * @param model in place of the one it names.
   */
  async *send(model?: string): AsyncGenerator<Buffer, void, undefined> {
    const name = model ?? this.modelAs;
    const span = name === undefined ? undefined : this.modelAt;
    let at = 0;
    let sentBytes = 0;
    for (;;) {
      const chunk = this.#kept[at - this.#forgotten];
      if (chunk) {
        const piece = span ? replaced(chunk, sentBytes, { span, model: name as string }) : chunk;
        if (piece.length > 0) yield piece;
        at += 1;
        sentBytes += chunk.length;
        this.#forget(at);
      } else if (this.isComplete) return;
      else await this.#pull();
    }
  }

  /** How long it is with another model. */
  lengthWith(model: string | undefined): number | undefined {
    const { length, modelAt } = this;
    const name = model ?? this.modelAs;
    if (length === undefined || name === undefined || !modelAt) return length;
    return length + Buffer.byteLength(name) - (modelAt[1] - modelAt[0]);
  }

  /** Nobody wants the rest. */
  close(): void {
    this.source.destroy();
  }

  /** A host that gave up may have been waiting for the same piece as the next one does. */
  #pull(): Promise<void> {
    return (this.#pulling ??= this.#read().finally(() => (this.#pulling = undefined)));
  }

  async #read(): Promise<void> {
    const next = await this.#chunks.next();
    if (next.done === true) {
      this.#completedAt = performance.now();
      return;
    }
    const { value } = next;
    this.onPiece?.(value);
    this.#head ??= value;
    this.#kept.push(value);
    this.#keptBytes += value.length;
  }

  #forget(sent: number): void {
    if (this.canRepeat && this.#keptBytes <= this.keepBytes) return;
    for (; this.#forgotten < sent; this.#forgotten += 1) this.#keptBytes -= this.#kept.shift()?.length ?? 0;
  }
}

/** A piece with the model replaced in it, wherever the piece is cut. */
function replaced(chunk: Buffer, offset: number, { span, model }: { span: Span; model: string }): Buffer {
  const [start, end] = [span[0] - offset, span[1] - offset];
  if (end <= 0 || start >= chunk.length) return chunk;
  const name = start >= 0 ? Buffer.from(model) : Buffer.alloc(0);
  return Buffer.concat([chunk.subarray(0, Math.max(0, start)), name, chunk.subarray(Math.max(0, end))]);
}
