import type { Seen } from '../caller.ts';
import { DONE } from './stream-responses.ts';

/** What is read of an event. */
interface Chunk {
  readonly id?: string;
  readonly choices?: readonly {
    readonly delta: {
      readonly role?: string;
      readonly content?: string | null;
      readonly tool_calls?: readonly { readonly function: { readonly arguments?: string } }[];
    };
    readonly finish_reason?: string | null;
  }[];
  readonly error?: { readonly code?: unknown };
  readonly usage?: object;
}

/** What a stream must come to for its caller. */
interface ExpectedStream {
  /** All that the response says. */
  readonly whole: string;
  /** Whether the caller gets all of it, or a part that shows as broken. */
  readonly isWhole: boolean;
}

/** What is wrong with the stream that a caller saw; nothing where docs/streaming.md is kept. */
export function missesOfStream(seen: Seen, { whole, isWhole }: ExpectedStream): string[] {
  const misses: string[] = [];
  const hold = (holds: boolean, what: string) => {
    if (!holds) misses.push(`${seen.caller}: ${what}`);
  };
  const chunks = chunksOf(seen.text);
  const content = contentOf(chunks);
  const hasError = chunks.some(({ error }) => error !== undefined);
  hold(seen.end !== 'hung', 'hung');
  hold(seen.status === 200, `status ${seen.status}`);
  hold(new Set(chunks.flatMap(({ id }) => id ?? [])).size <= 1, 'more than one id');
  hold(count(chunks, ({ delta }) => delta.role !== undefined) <= 1, 'more than one role');
  hold(!chunks.some(({ usage }) => usage), 'token counts that nobody asked for');
  if (isWhole) {
    hold(seen.end === 'clean', `the transfer is ${seen.end}`);
    hold(content === whole, `says ${JSON.stringify(content)}`);
    hold(!hasError, 'an error in a whole answer');
    hold(count(chunks, hasReason) === 1, 'not one reason to stop');
    hold(seen.text.endsWith(DONE), 'no end marker');
    return misses;
  }
  hold(seen.end === 'broken', `the transfer is ${seen.end}`);
  hold(content !== whole && whole.startsWith(content), `says ${JSON.stringify(content)}`);
  hold(chunks.at(-1)?.error?.code === 'stream_interrupted', 'no error event at its end');
  hold(count(chunks, hasReason) === 0, 'a reason to stop');
  hold(!seen.text.includes('[DONE]'), 'an end marker behind a part');
  return misses;
}

type Choice = NonNullable<Chunk['choices']>[number];

const hasReason = ({ finish_reason: reason }: Choice): boolean => typeof reason === 'string';

function count(chunks: readonly Chunk[], holds: (choice: Choice) => boolean): number {
  return chunks.flatMap(({ choices }) => choices ?? []).filter(holds).length;
}

/** Of the events that came whole. */
function chunksOf(text: string): Chunk[] {
  const events = text.split('\n\n').slice(0, -1);
  return events.flatMap((event) => {
    const data = /^data: (\{.*)$/m.exec(event)?.[1];
    return data === undefined ? [] : [parsed(data)];
  });
}

/** What a caller cannot read is no part of a response. */
function parsed(data: string): Chunk {
  try {
    return JSON.parse(data) as Chunk;
  } catch {
    return { error: { code: 'unreadable' } };
  }
}

function contentOf(chunks: readonly Chunk[]): string {
  const deltas = chunks.flatMap(({ choices }) => choices ?? []).map(({ delta }) => delta);
  return deltas
    .map(({ content, tool_calls: calls }) => content ?? calls?.[0]?.function.arguments ?? '')
    .join('');
}
