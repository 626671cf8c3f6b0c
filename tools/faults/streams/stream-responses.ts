/** What a response is made of. */
export type ResponseKind = 'text' | 'tool-call' | 'structured';

/** The events of a response: the role first, then its content, at last why it stopped. */
export interface StreamResponse {
  readonly events: readonly string[];
  /** The event with token counts, and the end marker. */
  readonly tail: readonly string[];
  /** What all of it says. */
  readonly whole: string;
}

/** How a host makes its response. */
interface Style {
  readonly id: string;
  readonly model: string;
  /** So many pieces make one event. */
  readonly perEvent?: number;
  /** What was said already. */
  readonly said?: string;
}

const PIECES: Readonly<Record<ResponseKind, readonly string[]>> = {
  text: 'The quick brown fox, nine lazy dogs and ünïcödé 🦊 all rest here.'.split(/(?<= )/),
  'tool-call': ['{"city', '":"Par', 'is","d', 'ays":', '3,"unit', '":"C"}'],
  structured: ['{"name"', ':"Ada', ' L.","', 'age":', '36,"ok"', ':true}'],
};

/** What a caller asks besides, to get such a response. */
export const REQUEST_OF: Readonly<Record<ResponseKind, object>> = {
  text: {},
  'tool-call': {
    tools: [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }],
  },
  structured: { response_format: { type: 'json_object' } },
};

export const DONE = 'data: [DONE]\n\n';

/** The most events after which the response is not complete yet. */
export const lastPlace = (kind: ResponseKind): number => PIECES[kind].length;

export function streamResponse(
  kind: ResponseKind,
  { id, model, perEvent = 1, said = '' }: Style,
): StreamResponse {
  const event = (choices: object[], rest: object = {}): string =>
    `data: ${JSON.stringify({ id, object: 'chat.completion.chunk', created: 1, model, choices, ...rest })}\n\n`;
  const choice = (delta: object, finish: string | null = null): string =>
    event([{ index: 0, delta, finish_reason: finish }]);
  const whole = PIECES[kind].join('');
  const left = whole.startsWith(said) ? whole.slice(said.length) : whole;
  const parts = said === '' ? groups(PIECES[kind], perEvent) : [left];
  const content = parts.map((part, at) => choice(deltaOf(kind, part, at)));
  const usage = { prompt_tokens: 9, completion_tokens: parts.length, total_tokens: 9 + parts.length };
  return {
    events: [
      choice({ role: 'assistant', content: kind === 'tool-call' ? null : '' }),
      ...content,
      choice({}, kind === 'tool-call' ? 'tool_calls' : 'stop'),
    ],
    tail: [event([], { usage }), DONE],
    whole,
  };
}

function deltaOf(kind: ResponseKind, part: string, at: number): object {
  if (kind !== 'tool-call') return { content: part };
  const named = at === 0 && { id: 'call_1', type: 'function' };
  const call = { ...(at === 0 && { name: 'weather' }), arguments: part };
  return { tool_calls: [{ index: 0, ...named, function: call }] };
}

function groups(pieces: readonly string[], size: number): string[] {
  const starts = pieces.flatMap((_, at) => (at % size === 0 ? [at] : []));
  return starts.map((start) => pieces.slice(start, start + size).join(''));
}
