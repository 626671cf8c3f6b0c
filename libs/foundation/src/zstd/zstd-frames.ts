const FRAME = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;
const BLOCK_HEADER_BYTES = 3;
const CHECKSUM_BYTES = 4;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4];
const CONTENT_SIZE_BYTES = [0, 2, 4, 8];
const NO_BYTES = Buffer.alloc(0);

/** What is read next, of so many bytes. */
interface Step {
  readonly bytes: number;
  /** What comes after them, as these bytes say; else `then`. None: the frame is over. */
  readonly read?: (header: Buffer) => Step | undefined;
  readonly then?: Step | undefined;
}

/**
 * Finds where the frames of a Zstandard body end (RFC 8878, 3.1), whatever the pieces in which it comes. Node's decoder goes on with the next
 * frame where that comes with the next piece, and gives up where it stands in the same one.
 */
export class ZstdFrames {
  #step = START;
  /** Bytes of the present step that have come, and where they are needed, these. */
  #taken = 0;
  #header: Buffer = NO_BYTES;
  #count = 0;

  /** Frames that have ended. */
  get count(): number {
    return this.#count;
  }

  /**
   * A piece in parts, none of which has bytes behind the end of a frame. From what is no frame on nothing is cut: the decoder refuses it.
   */
  cut(piece: Buffer): Buffer[] {
    const parts: Buffer[] = [];
    let from = 0;
    let at = 0;
    while (at < piece.length) {
      const end = Math.min(piece.length, at + this.#step.bytes - this.#taken);
      if (this.#step.read) this.#keep(piece.subarray(at, end));
      this.#taken += end - at;
      at = end;
      if (this.#taken < this.#step.bytes) break;
      const next = this.#step.read ? this.#step.read(this.#header) : this.#step.then;
      this.#enter(next ?? START);
      if (next) continue;
      this.#count += 1;
      parts.push(piece.subarray(from, at));
      from = at;
    }
    if (from < piece.length) parts.push(piece.subarray(from));
    return parts;
  }

  #keep(bytes: Buffer): void {
    this.#header = this.#taken === 0 ? bytes : Buffer.concat([this.#header, bytes]);
  }

  #enter(step: Step): void {
    this.#step = step;
    this.#taken = 0;
  }
}

const START: Step = { bytes: 4, read: readMagic };
const NOTHING_KNOWN: Step = { bytes: Infinity };

function readMagic(header: Buffer): Step | undefined {
  const magic = header.readUInt32LE();
  // The size of a skippable frame stands before what is in it.
  if ((magic & ~0xf) >>> 0 === SKIPPABLE)
    return { bytes: 4, read: (size) => passOver(size.readUInt32LE(), undefined) };
  return magic === FRAME ? { bytes: 1, read: readDescriptor } : NOTHING_KNOWN;
}

function readDescriptor(header: Buffer): Step | undefined {
  const descriptor = header.readUInt8();
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const hasChecksum = (descriptor & 0x04) !== 0;
  const sizeFlag = descriptor >> 6;
  const contentSize = sizeFlag === 0 && isSingleSegment ? 1 : (CONTENT_SIZE_BYTES[sizeFlag] as number);
  const rest = (isSingleSegment ? 0 : 1) + (DICTIONARY_ID_BYTES[descriptor & 3] as number) + contentSize;
  return passOver(rest, blockOf(hasChecksum));
}

function blockOf(hasChecksum: boolean): Step {
  return {
    bytes: BLOCK_HEADER_BYTES,
    read: (header) => {
      const block = header.readUIntLE(0, BLOCK_HEADER_BYTES);
      const isLast = (block & 1) !== 0;
      const isRepeatedByte = ((block >> 1) & 3) === 1;
      const after = isLast ? passOver(hasChecksum ? CHECKSUM_BYTES : 0, undefined) : blockOf(hasChecksum);
      return passOver(isRepeatedByte ? 1 : block >> 3, after);
    },
  };
}

function passOver(bytes: number, then: Step | undefined): Step | undefined {
  return bytes === 0 ? then : { bytes, then };
}
