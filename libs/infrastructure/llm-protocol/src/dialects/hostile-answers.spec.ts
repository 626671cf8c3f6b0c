import { describe, expect, it } from '@jest/globals';
import { timedOnThread } from '@morgan/testing';
import { SseEvent } from '../sse/sse-event.ts';
import { wholeAsStream } from '../streams/whole-as-stream.ts';
import { systemFirst } from '../translation/to-chat/system-first.ts';
import { MessageEvents } from '../translation/to-message/message-events.ts';
import { chatDialect } from './chat.dialect.ts';
import { EventReader, readBody } from './event-reader.ts';

describe('an answer that is made to cost time', () => {
  it('may end as many choices in one event as fit into it', () => {
    const choices = Array.from({ length: 200_000 }, (_, index) => ({ index, finish_reason: 'stop' }));
    const event = new SseEvent(Buffer.from(`data: ${JSON.stringify({ choices })}\n\n`));
    const { result, ms } = timedOnThread(() => new EventReader(chatDialect).read(event));
    expect(result).toMatchObject({ finished: 200_000, finishReason: 'stop' });
    expect(result.finishedAt).toHaveLength(200_000);
    expect(ms).toBeLessThan(2_000);
  });

  it('may have as many choices as fit into it', () => {
    const body = {
      object: 'chat.completion',
      choices: Array(40_000).fill({ finish_reason: 'stop' }),
      error: {},
    };
    expect(timedOnThread(() => readBody(chatDialect, Buffer.from(JSON.stringify(body)))).ms).toBeLessThan(
      2_000,
    );
  });

  it('is not told as a stream where each of thousands of events would repeat half a megabyte', () => {
    const choice = { message: { content: 'a' } };
    const told = (more: object) =>
      wholeAsStream(Buffer.from(JSON.stringify({ id: 'c1', ...more })), {
        dialect: chatDialect,
        wantsUsage: false,
      });
    expect(
      told({ choices: Array(1_000).fill(choice), system_fingerprint: 'x'.repeat(500_000) }),
    ).toBeUndefined();
    expect(told({ choices: Array(20_000).fill(choice) })).toBeUndefined();
    expect(told({ choices: [choice], system_fingerprint: 'x'.repeat(500_000) })).toHaveLength(3);
    expect(told({ choices: Array(128).fill(choice) })).toHaveLength(2 * 128 + 1);
  });

  it.each(['{"choices": [}', '["choices"]', '{"choices": 7}', ''])(
    'is not told as a stream where it is no answer: %j',
    (text) => {
      expect(wholeAsStream(Buffer.from(text), { dialect: chatDialect, wantsUsage: false })).toBeUndefined();
    },
  );
});

describe('calls of tools that are made to cost time', () => {
  const chunk = (calls: object) => ({
    id: 'c1',
    model: 'm',
    choices: [{ index: 0, delta: { tool_calls: calls } }],
  });
  const call = (index: number, name: string | undefined, text: string) =>
    chunk([
      { index, ...(name && { id: `id-${index}` }), function: { ...(name && { name }), arguments: text } },
    ]);

  it('may come in a hundred thousand pieces that each could begin another', () => {
    const events = new MessageEvents();
    events.take(call(0, 'f', '{"a":"}'));
    const { ms } = timedOnThread(() => {
      for (let piece = 0; piece < 100_000; piece += 1) events.take(call(0, undefined, '{x}'));
    });
    expect(events.take(call(0, undefined, '"}'))).toHaveLength(1);
    expect(ms).toBeLessThan(2_000);
  });

  it('may wait for their end in as many pieces, where their arguments are a text in JSON', () => {
    const events = new MessageEvents();
    events.take(call(0, 'f', '"{'));
    const { ms } = timedOnThread(() => {
      for (let piece = 0; piece < 300_000; piece += 1) events.take(call(0, undefined, ' '));
    });
    events.take(call(0, undefined, '}"'));
    expect(events.end().join('')).toContain('"type":"tool_use"');
    expect(ms).toBeLessThan(3_000);
  });

  it('have ids and names of 8 MiB in one answer, each of which counts as a hundred more', () => {
    const told = { choices: [{ index: 0, delta: { content: 'a' } }] };
    const takenUntilRefused = (id: string) => {
      const events = new MessageEvents();
      let count = 0;
      expect(() => {
        for (; count < 100_000; count += 1) {
          events.take(chunk([{ index: 0, id: `${id}${count}`, function: { name: 'f', arguments: '{}' } }]));
          events.take(told);
        }
      }).toThrow('more tools at once');
      return count;
    };
    expect(takenUntilRefused('x'.repeat(1024 * 1024))).toBe(7);
    expect(takenUntilRefused('')).toBeGreaterThan(50_000);
  });

  it('are told apart as before where one place has them all', () => {
    const events = new MessageEvents();
    events.take(call(0, 'f', '{"a":"}{\\"'));
    events.take(chunk([{ index: 0, function: { arguments: '"}' } }]));
    events.take(chunk([{ index: 0, function: { name: 'f', arguments: '{"b":1}' } }]));
    const told = events.end().join('');
    expect(told.match(/"type":"tool_use","id"/g)).toHaveLength(1);
    expect(told).toContain('{\\"b\\":1}');
  });

  it('are no more than a thousand behind each other, nor more than 8 MiB', () => {
    const many = new MessageEvents();
    expect(() => {
      for (let index = 0; index < 2_000; index += 1) many.take(call(index, 'f', '{}'));
    }).toThrow('more tools at once');
    const long = new MessageEvents();
    long.take(call(0, 'f', '{'));
    expect(() => {
      for (let piece = 0; piece < 20; piece += 1)
        long.take(call(1, piece === 0 ? 'g' : undefined, 'x'.repeat(1e6)));
    }).toThrow('more tools at once');
  });

  const text = (content: string) => ({ choices: [{ index: 0, delta: { content } }] });

  it('have at most 8 MiB said in the middle of them', () => {
    const events = new MessageEvents();
    events.take(call(0, 'f', '{'));
    let taken = 0;
    expect(() => {
      for (; taken < 20; taken += 1) events.take(text('x'.repeat(1024 * 1024)));
    }).toThrow('more tools at once');
    expect(taken).toBe(7);
  });

  it('may have as much again said in the middle of the next one', () => {
    const events = new MessageEvents();
    for (let index = 0; index < 3; index += 1) {
      events.take(call(index, 'f', '{'));
      for (let piece = 0; piece < 5; piece += 1) events.take(text('x'.repeat(1024 * 1024)));
      events.take(call(index, undefined, '}'));
      events.take(text('over'));
    }
    expect(() => events.end()).not.toThrow();
  });
});

describe('a request that is made to cost time', () => {
  it('may have as many system prompts behind an image as fit into it', () => {
    const image = { role: 'user', content: [{ type: 'image_url' }] };
    const system = { role: 'system', content: 'a' };
    const messages = [image, ...Array.from({ length: 100_000 }, () => system)];
    const { result, ms } = timedOnThread(() => systemFirst(messages));
    expect(result).toHaveLength(1);
    expect(result[0]?.['content']).toHaveLength(100_001);
    expect(image.content).toHaveLength(1);
    expect(ms).toBeLessThan(2_000);
  });
});
