/** What a form says its model is, and at which bytes. */
export interface FormModel {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

const BOUNDARY = /^\s*multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i;
const DISPOSITION = /^content-disposition:([^\r\n]*)/gim;
/** A second one: parsers differ in which of the two they take. */
const BOUNDARIES = /;\s*boundary\s*=/gi;
/** A line that goes on in the next, which is one line for some parsers. */
const FOLDED = /\r\n[ \t]/;
/** Some parsers undo it, most take the bytes as they are (RFC 7578, 4.7). */
const ENCODED = /^content-transfer-encoding:(?![ \t]*(?:7bit|8bit|binary)[ \t]*$)/im;
const PARAMETER = /;\s*([\w*-]+)\s*=\s*("(?:\\.|[^"\\])*"|[^;\s]*)/g;
const LINE_END = '\r\n';
const END_OF_HEAD = '\r\n\r\n';
const CLOSING = '--';
/** Of one part. */
const LONGEST_HEAD = 8_192;
/** No model has a longer name, in bytes. */
const LONGEST_NAME = 1_024;

/** The boundary of a multipart form (RFC 2046, 5.1.1); none where the type is another, or names none, or two. */
export function boundaryOf(contentType = ''): string | undefined {
  const [, quoted, bare] = BOUNDARY.exec(contentType) ?? [];
  return contentType.match(BOUNDARIES)?.length === 1 ? (quoted ?? bare) : undefined;
}

/**
 * Finds the field `model` in a multipart form that comes in pieces, cut anywhere, and whether it is there once and says
 * the same to every parser. Each byte is searched for the boundary once; no more is kept than the head of a part or a name,
 * so that files go by unseen.
 */
export class FormScanner {
  readonly #delimiter: Buffer;
  #state: 'file' | 'head' | 'name' | 'over' = 'file';
  /** What may belong to something that is not complete. The first boundary has no line end in front of it. */
  #pending: Buffer = Buffer.from(LINE_END);
  /** Where that begins in the form. */
  #offset = -LINE_END.length;
  #model: FormModel | undefined;
  #isUnclear = false;

  constructor(boundary: string) {
    this.#delimiter = Buffer.from(`${LINE_END}--${boundary}`);
  }

  get model(): FormModel | undefined {
    return this.#model;
  }

  /** Whether the model comes twice, or may be read otherwise by others. */
  get isUnclear(): boolean {
    return this.#isUnclear;
  }

  /** @returns whether the model is found, or cannot come any more. */
  push(chunk: Buffer): boolean {
    if (this.#state === 'over') return true;
    if (!this.#passesBy(chunk)) {
      this.#pending = Buffer.concat([this.#pending, chunk]);
      while (this.#step());
    }
    return this.#is('over') || this.#model !== undefined;
  }

  /** A piece from the middle of a file is not copied: a large form would cost as much memory again. */
  #passesBy(chunk: Buffer): boolean {
    const { length } = this.#delimiter;
    if (this.#state !== 'file' || chunk.length < length) return false;
    const seam = Buffer.concat([this.#pending, chunk.subarray(0, length - 1)]);
    if (seam.includes(this.#delimiter) || chunk.includes(this.#delimiter)) return false;
    const end = chunk.length - length + 1;
    this.#offset += this.#pending.length + end;
    this.#pending = Buffer.from(chunk.subarray(end));
    return true;
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
    if (end < 0) return pending.length >= LONGEST_HEAD && this.#refuse();
    const { name, isClear, isText } = nameOf(pending.toString('latin1', 0, end));
    const isModel = name === 'model';
    if (!isClear || (isModel && (this.#model || !isText))) return this.#refuse();
    return this.#enter(isModel ? 'name' : 'file', end + END_OF_HEAD.length - (isModel ? 0 : LINE_END.length));
  }

  #readName(): boolean {
    const end = this.#pending.subarray(0, LONGEST_NAME + this.#delimiter.length).indexOf(this.#delimiter);
    if (end < 0) return this.#pending.length > LONGEST_NAME + this.#delimiter.length && this.#refuse();
    const start = this.#offset;
    this.#model = { name: this.#pending.toString('utf8', 0, end), start, end: start + end };
    return this.#enter('file', end);
  }

  #refuse(): boolean {
    this.#isUnclear = true;
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

/** What the head of a part says of it. */
interface PartHead {
  readonly name: string | undefined;
  /** Whether all parsers find this name. */
  readonly isClear: boolean;
  /** Whether all of them take the bytes for a text: not for a file, nor for what a text has been encoded to. */
  readonly isText: boolean;
}

/** The name of a part, by its head: a file may be called `a; name=model`. */
function nameOf(head: string): PartHead {
  const [first, second] = head.matchAll(DISPOSITION);
  const parameters = [...(first?.[1] ?? '').matchAll(PARAMETER)];
  // In another character set it is `name*`.
  const names = parameters.filter(([, key = '']) => /^name(\*|$)/i.test(key));
  const [, key, value] = names[0] ?? [];
  const isPlain = names.length === 0 || (names.length === 1 && key?.toLowerCase() === 'name');
  const isFile = parameters.some(([, other = '']) => /^filename(\*|$)/i.test(other));
  return {
    name: value?.replace(/^"|"$/g, ''),
    isClear: isPlain && second === undefined && !FOLDED.test(head),
    isText: !isFile && !ENCODED.test(head),
  };
}
