/**
 * Something that goes wrong, for real, on the socket.
 * With `times` it hits only the next so many POST requests, so that health probes do not use it up; without, every
 * request until `setFault(undefined)`. An answer that is not streamed counts as two chunks, half its body each.
 */
export type Fault = FaultKind & { readonly times?: number };

type FaultKind =
  /** Answers with this status; the body defaults to an OpenAI error envelope. */
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
  /** Sends the headers and so many chunks, then nothing more. */
  | { readonly kind: 'stall-in-stream'; readonly afterChunks: number }
  /** Sends the headers and so many chunks, then closes the connection. */
  | { readonly kind: 'cut-in-stream'; readonly afterChunks: number }
  /** Answers with bytes that are not HTTP. */
  | { readonly kind: 'bad-http' }
  /** Answers well, but so much later. */
  | { readonly kind: 'slow'; readonly delayMs: number };

/** What an answer in progress has to do wrong. */
export type Interruption = Extract<Fault, { kind: 'stall-in-stream' | 'cut-in-stream' }>;

const EXAMPLES: Record<Fault['kind'], readonly [string, number?]> = {
  status: ['status', 500],
  refuse: ['refuse'],
  'reset-before-headers': ['reset-before-headers'],
  'stall-before-headers': ['stall-before-headers'],
  'stall-in-stream': ['stall-in-stream', 3],
  'cut-in-stream': ['cut-in-stream', 3],
  'bad-http': ['bad-http'],
  slow: ['slow', 500],
};

/**
 * Reads a fault as it is written on a command line: its kind, then its number if it has one, as in `status:503`.
 * @throws Error listing every form, when it is none of them.
 */
export function parseFault(text: string): Fault {
  const [kind = '', number] = text.split(':');
  const example = Object.hasOwn(EXAMPLES, kind) ? EXAMPLES[kind as Fault['kind']] : undefined;
  const value = Number(number);
  const isComplete = example?.[1] === undefined ? number === undefined : /^\d+$/.test(number ?? '');
  if (!example || !isComplete) {
    const forms = Object.values(EXAMPLES).map((parts) => parts.join(':'));
    throw new Error(`"${text}" is not a fault; write one of: ${forms.join(', ')}`);
  }
  const known = kind as Fault['kind'];
  switch (known) {
    case 'status':
      return { kind: known, status: value };
    case 'stall-in-stream':
    case 'cut-in-stream':
      return { kind: known, afterChunks: value };
    case 'slow':
      return { kind: known, delayMs: value };
    case 'refuse':
    case 'reset-before-headers':
    case 'stall-before-headers':
    case 'bad-http':
      return { kind: known };
  }
}
