import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { JsonObject } from '@morgan/foundation';
import { StreamGateway } from '../../fixture/stream-gateway.ts';
import { messagesDialect } from '../dialects/messages.dialect.ts';
import type { ResumeMode } from './resume/attempt-usage.ts';

type Event = JsonObject & { readonly type: string };

const wire = (events: readonly Event[]) =>
  events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
const started = (usage: object): Event => ({ type: 'message_start', message: { id: 'a', usage } });
const open = (index: number, block: object): Event => ({
  type: 'content_block_start',
  index,
  content_block: block,
});
const delta = (index: number, change: object): Event => ({
  type: 'content_block_delta',
  index,
  delta: change,
});
const close = (index: number): Event => ({ type: 'content_block_stop', index });
const piece = (index: number, text: string) => delta(index, { type: 'text_delta', text });
const openText = (index: number) => open(index, { type: 'text', text: '' });
const text = (index: number, said: string) => [openText(index), piece(index, said), close(index)];
const halfThought = (index: number, thinking: string) => [
  open(index, { type: 'thinking', thinking: '', signature: '' }),
  delta(index, { type: 'thinking_delta', thinking }),
];
const thought = (index: number, thinking: string) => [
  ...halfThought(index, thinking),
  delta(index, { type: 'signature_delta', signature: 'signed' }),
  close(index),
];
const call = (index: number) => [
  open(index, { type: 'tool_use', id: 't', name: 'f', input: {} }),
  close(index),
];
const source = (index: number) => delta(index, { type: 'citations_delta', citation: { cited_text: 'x' } });
const ended = (usage: object = { output_tokens: 4 }): Event[] => [
  { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage },
  { type: 'message_stop' },
];

let gateway: StreamGateway;
afterEach(() => gateway.close());

/** What a caller has of a message that broke off behind these events, and that another host told so. */
async function joined(sent: readonly Event[], mode: ResumeMode, again: readonly Event[]) {
  const head = { 'content-type': 'text/event-stream' };
  gateway = await StreamGateway.start(
    (response: ServerResponse) => {
      response.writeHead(200, head).write(wire(sent), () => response.destroy());
    },
    {
      dialect: messagesDialect,
      others: [[mode, (response) => response.writeHead(200, head).end(wire(again))]],
    },
  );
  const { text: seen, broken } = await gateway.read();
  const events = seen
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => JSON.parse(line.slice(6)) as Event);
  return { blocks: blocksIn(events), broken, events };
}

/** Each block with what came in it. @throws Error about one that is not in order. */
function blocksIn(events: readonly Event[]): string[] {
  const blocks: string[] = [];
  let isOpen = false;
  for (const { type, index, content_block: block, delta: change } of events) {
    if (type === 'content_block_start') {
      if (isOpen || index !== blocks.length) throw new Error(`block ${String(index)} begins too soon`);
      isOpen = true;
      blocks.push(`${String((block as JsonObject)['type'])}:`);
    } else if (type.startsWith('content_block')) {
      if (!isOpen || index !== blocks.length - 1) throw new Error(`block ${String(index)} is not open`);
      isOpen = type === 'content_block_delta';
      const { text: said, thinking, signature, citation } = (change ?? {}) as Record<string, string>;
      blocks.push(`${blocks.pop()}${said ?? thinking ?? signature ?? (citation ? '[1]' : '')}`);
    } else if (type === 'message_delta' && isOpen) throw new Error('the last block does not end');
  }
  return blocks;
}

const START = started({ input_tokens: 10, output_tokens: 1 });

describe('a message that broke off', () => {
  it.each<[string, Event[], ResumeMode, Event[], string[]]>([
    [
      'within a thought',
      halfThought(0, 'Hm'),
      'restart',
      [...thought(0, 'Aha'), ...text(1, 'One')],
      ['thinking:Hm', 'text:One'],
    ],
    [
      'behind a thought',
      thought(0, 'Hm.'),
      'restart',
      [...thought(0, 'Aha'), ...text(1, 'One'), ...call(2)],
      ['thinking:Hm.signed', 'text:One', 'tool_use:'],
    ],
    [
      'behind a thought that is encrypted',
      [open(0, { type: 'redacted_thinking', data: 'x' }), close(0), ...halfThought(1, 'Hm')],
      'restart',
      text(0, 'One'),
      ['redacted_thinking:', 'thinking:Hm', 'text:One'],
    ],
    ['behind a text', text(0, 'One'), 'restart', [...text(0, 'One'), ...call(1)], ['text:One', 'tool_use:']],
    ['behind a text that goes on', text(0, 'One'), 'restart', text(0, 'One two'), ['text:One', 'text: two']],
    [
      'behind a text that is continued',
      text(0, 'One'),
      'continue',
      text(0, ' two'),
      ['text:One', 'text: two'],
    ],
    [
      'within its second text',
      [...text(0, 'One '), openText(1), piece(1, 'two')],
      'restart',
      [...thought(0, 'Aha'), ...text(1, 'One '), ...text(2, 'two three'), ...text(3, ' four')],
      ['text:One ', 'text:two three', 'text: four'],
    ],
    [
      'within a text of two parts',
      [openText(0), piece(0, 'One ')],
      'restart',
      [...text(0, 'One '), ...text(1, 'two')],
      ['text:One ', 'text:two'],
    ],
    [
      'within two texts that are one of the other host',
      [...text(0, 'One '), openText(1), piece(1, 'two')],
      'restart',
      text(0, 'One two three'),
      ['text:One ', 'text:two three'],
    ],
    [
      'where a text begins',
      [...text(0, 'One'), openText(1)],
      'restart',
      [...text(0, 'One'), ...text(1, ' two')],
      ['text:One', 'text: two'],
    ],
    [
      'behind a source',
      [openText(0), source(0), piece(0, 'One ')],
      'restart',
      [
        openText(0),
        source(0),
        piece(0, 'One two'),
        close(0),
        openText(1),
        source(1),
        piece(1, '!'),
        close(1),
      ],
      ['text:[1]One two', 'text:[1]!'],
    ],
  ])('is joined block by block %s', async (_, sent, mode, again, blocks) => {
    const { broken, ...seen } = await joined([START, ...sent], mode, [START, ...again, ...ended()]);
    expect(seen.blocks).toEqual(blocks);
    expect(broken).toBe(false);
    expect(seen.events.filter(({ type }) => type.startsWith('message')).map(({ type }) => type)).toEqual([
      'message_start',
      'message_delta',
      'message_stop',
    ]);
  });

  it('is not joined behind a block that is neither text nor thought: the other host would have its own', async () => {
    const summary = [open(0, { type: 'compaction', content: 'x' }), close(0)];
    const again = [START, ...summary, ...text(1, 'One'), ...ended()];
    const { broken, events } = await joined([START, ...summary], 'restart', again);
    expect([broken, gateway.asked, events.at(-1)?.type]).toEqual([true, [], 'error']);
  });

  it.each<[string, object, object, object, object]>([
    ['at its end', { input_tokens: 10 }, {}, { input_tokens: 12, output_tokens: 4 }, { input_tokens: 22 }],
    [
      'at its beginning',
      { input_tokens: 10 },
      { input_tokens: 12 },
      { output_tokens: 4 },
      { input_tokens: 22 },
    ],
    [
      'with what came from a cache',
      { input_tokens: 3, cache_read_input_tokens: 7 },
      { input_tokens: 12, cache_read_input_tokens: 0, cache_creation_input_tokens: 2 },
      { output_tokens: 4 },
      { input_tokens: 15, cache_read_input_tokens: 7, cache_creation_input_tokens: 2 },
    ],
    [
      'without a cache',
      { input_tokens: 3, cache_read_input_tokens: 7 },
      { input_tokens: 12 },
      { output_tokens: 4 },
      { input_tokens: 15, cache_read_input_tokens: 7, cache_creation_input_tokens: 0 },
    ],
  ])(
    'has the prompts of both where the other host counts its own %s',
    async (_, first, begun, last, prompts) => {
      const { events } = await joined([started(first), openText(0), piece(0, 'One ')], 'restart', [
        started(begun),
        ...text(0, 'One two'),
        ...ended(last),
      ]);
      expect(events.at(-2)?.['usage']).toEqual({ ...prompts, output_tokens: 5 });
    },
  );
});
