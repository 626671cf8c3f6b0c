/** What a form says its model is, and at which bytes. */
export interface FormModel {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

const BOUNDARY = /^\s*multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i;
const DISPOSITION = /^content-disposition:([^\r\n]*)/im;
const PARAMETER = /;\s*([\w*-]+)\s*=\s*("(?:\\.|[^"\\])*"|[^;\s]*)/g;
const LINE_END = '\r\n';
const END_OF_HEAD = '\r\n\r\n';
const CLOSING = '--';
/** Of one part; a field with a longer one is no model. */
const LONGEST_HEAD = 2_048;
/** No model has a longer name, in bytes. */
const LONGEST_NAME = 1_024;

/** The boundary of a multipart form (RFC 2046, 5.1.1); none where the type is another, or names none. */
export function boundaryOf(contentType: string | undefined): string | undefined {
  const [, quoted, bare] = BOUNDARY.exec(contentType ?? '') ?? [];
  return quoted ?? bare;
}

/**
 * Finds the field `model` in a multipart form that comes in pieces, cut anywhere. Each byte is searched for the boundary
 * once; no more is kept than the head of a part or a name, so that files go by unseen.
 */
export class FormScanner {
  readonly #delimiter: Buffer;
  #state: 'file' | 'head' | 'name' | 'over' = 'file';
  /** What may belong to something that is not complete. The first boundary has no line end in front of it. */
  #pending: Buffer = Buffer.from(LINE_END);
  /** Where that begins in the form. */
  #offset = -LINE_END.length;
  #model: FormModel | undefined;

  constructor(boundary: string) {
    this.#delimiter = Buffer.from(`${LINE_END}--${boundary}`);
  }

  get model(): FormModel | undefined {
    return this.#model;
  }

  /** @returns whether there is nothing more to be found. */
  push(chunk: Buffer): boolean {
    if (this.#state === 'over') return true;
    this.#pending = Buffer.concat([this.#pending, chunk]);
    while (this.#step());
    return this.#is('over');
  }

  /** @returns whether there may be another. */
  #step(): boolean {
    if (this.#state === 'file') return this.#skipFile();
    if (this.#state === 'head') return this.#readHead();
    return this.#state === 'name' && this.#readName();
  }

  #skipFile(): boolean {
    const at = this.#pending.indexOf(this.#delimiter);
    if (at < 0) this.#drop(Math.max(0, this.#pending.length - this.#delimiter.length + 1));
    else this.#enter('head', at + this.#delimiter.length);
    return at >= 0;
  }

  #readHead(): boolean {
    const pending = this.#pending;
    if (pending.length >= CLOSING.length && pending.toString('latin1', 0, CLOSING.length) === CLOSING)
      return this.#enter('over', 0);
    const end = pending.subarray(0, LONGEST_HEAD).indexOf(END_OF_HEAD);
    if (end < 0) return pending.length >= LONGEST_HEAD && this.#enter('file', 0);
    const isModel = nameOf(pending.toString('latin1', 0, end)) === 'model';
    return this.#enter(isModel ? 'name' : 'file', end + END_OF_HEAD.length - (isModel ? 0 : LINE_END.length));
  }

  #readName(): boolean {
    const end = this.#pending.subarray(0, LONGEST_NAME + this.#delimiter.length).indexOf(this.#delimiter);
    if (end < 0)
      return this.#pending.length > LONGEST_NAME + this.#delimiter.length && this.#enter('over', 0);
    const start = this.#offset;
    this.#model = { name: this.#pending.toString('utf8', 0, end), start, end: start + end };
    return this.#enter('over', 0);
  }

  #enter(state: 'file' | 'head' | 'name' | 'over', consumed: number): boolean {
    this.#state = state;
    this.#drop(consumed);
    return state !== 'over';
  }

  #drop(bytes: number): void {
    this.#offset += bytes;
    this.#pending = this.#pending.subarray(bytes);
  }

  #is(state: 'over'): boolean {
    return this.#state === state;
  }
}

/** Of a part, by its head: a file may be called `a; name=model`. */
function nameOf(head: string): string | undefined {
  const [, parameters = ''] = DISPOSITION.exec(head) ?? [];
  for (const [, key = '', value = ''] of parameters.matchAll(PARAMETER))
    if (key.toLowerCase() === 'name') return value.replace(/^"|"$/g, '');
  return undefined;
}
