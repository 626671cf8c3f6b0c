/**
 * Something that goes wrong, for real, on the socket.
 * With `times` it hits only the next so many POST requests, so that health probes do not use it up; without, every
 * request until `setFault(undefined)`. A response that is not streamed counts as two chunks, half its body each.
 */
export type Fault = FaultKind & { readonly times?: number };

type FaultKind =
  /** Responses with this status; the body defaults to an OpenAI error envelope. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** As if the process were gone: open connections are cut and new ones refused. `times` has no meaning here. */
  | { readonly kind: 'refuse' }
  /** A TCP reset once the request has been read. */
  | { readonly kind: 'reset-before-headers' }
  /** Reads the request and never answers. */
  | { readonly kind: 'stall-before-headers' }
  | StreamFault
  /** Responses with bytes that are not HTTP. */
  | { readonly kind: 'bad-http' }
  /** Answers well, but so much later. */
  | { readonly kind: 'slow'; readonly delayMs: number };

/** What a response in progress does wrong. */
export type StreamFault = StreamFaultKind & {
  /** The body lasts until its connection closes, as HTTP/1.0 has it: a clean end of it looks like the whole. */
  readonly closeDelimited?: boolean;
};

type StreamFaultKind =
  /** Sends the headers and so many chunks, then nothing more. */
  | { readonly kind: 'stall-in-stream'; readonly afterChunks: number }
  /** Sends the headers and so many chunks, then closes the connection. */
  | { readonly kind: 'cut-in-stream'; readonly afterChunks: number }
  /** Sends the headers and so many chunks, then resets the connection. */
  | { readonly kind: 'reset-in-stream'; readonly afterChunks: number }
  /** Ends cleanly after so many chunks, without the rest of the response and its end marker. */
  | { readonly kind: 'end-in-stream'; readonly afterChunks: number }
  /** Reports an error after so many chunks, and ends; as JSON, it is the whole response. */
  | { readonly kind: 'error-in-stream'; readonly afterChunks: number }
  /** Says something that is not JSON after so many chunks, and goes on; as JSON, it is half of the response. */
  | { readonly kind: 'malformed-event'; readonly afterChunks: number }
  /** Says everything but the end marker. */
  | { readonly kind: 'no-end-marker' }
  /** Counts 999,999 tokens of each kind. */
  | { readonly kind: 'wrong-usage' };

const STREAM_FAULTS: Record<StreamFaultKind['kind'], true> = {
  'stall-in-stream': true,
  'cut-in-stream': true,
  'reset-in-stream': true,
  'end-in-stream': true,
  'error-in-stream': true,
  'malformed-event': true,
  'no-end-marker': true,
  'wrong-usage': true,
};

/** Whether it lets the response begin. */
export function isStreamFault(fault: Fault): fault is StreamFault {
  return Object.hasOwn(STREAM_FAULTS, fault.kind);
}

/** A fault and its place from a number: the same number gives the same, so that a run of many can be repeated. */
export function seededStreamFault(seed: number, chunks: number): StreamFault {
  const kinds = Object.keys(STREAM_FAULTS) as StreamFaultKind['kind'][];
  // Knuth's multiplicative hash: neighbours get places far apart.
  const place = (Math.imul(seed, 2654435761) >>> 0) % Math.max(1, chunks);
  const kind = kinds[seed % kinds.length] as StreamFaultKind['kind'];
  return kind === 'no-end-marker' || kind === 'wrong-usage' ? { kind } : { kind, afterChunks: place };
}

/** A host that is to refuse connections is not started: nobody writes `refuse`. */
type WrittenKind = Exclude<Fault['kind'], 'refuse'>;

const EXAMPLES: Record<WrittenKind, readonly [string, number?]> = {
  status: ['status', 500],
  'reset-before-headers': ['reset-before-headers'],
  'stall-before-headers': ['stall-before-headers'],
  'stall-in-stream': ['stall-in-stream', 3],
  'cut-in-stream': ['cut-in-stream', 3],
  'reset-in-stream': ['reset-in-stream', 3],
  'end-in-stream': ['end-in-stream', 3],
  'error-in-stream': ['error-in-stream', 3],
  'malformed-event': ['malformed-event', 3],
  'no-end-marker': ['no-end-marker'],
  'wrong-usage': ['wrong-usage'],
  'bad-http': ['bad-http'],
  slow: ['slow', 500],
};

/**
 * Reads a fault as it is written on a command line: its kind, then its number if it has one, as in `status:503`.
 * @throws Error listing every form, when it is none of them.
 */
export function parseFault(text: string): Fault {
  const [kind = '', number] = text.split(':');
  const example = Object.hasOwn(EXAMPLES, kind) ? EXAMPLES[kind as WrittenKind] : undefined;
  const value = Number(number);
  const isComplete = example?.[1] === undefined ? number === undefined : /^\d+$/.test(number ?? '');
  if (!example || !isComplete) {
    const forms = Object.values(EXAMPLES).map((parts) => parts.join(':'));
    throw new Error(`"${text}" is not a fault; write one of: ${forms.join(', ')}`);
  }
  const known = kind as WrittenKind;
  switch (known) {
    case 'status':
      return { kind: known, status: value };
    case 'stall-in-stream':
    case 'cut-in-stream':
    case 'reset-in-stream':
    case 'end-in-stream':
    case 'error-in-stream':
    case 'malformed-event':
      return { kind: known, afterChunks: value };
    case 'slow':
      return { kind: known, delayMs: value };
    case 'reset-before-headers':
    case 'stall-before-headers':
    case 'bad-http':
    case 'no-end-marker':
    case 'wrong-usage':
      return { kind: known };
  }
}
