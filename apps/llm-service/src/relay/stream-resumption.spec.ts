import { expect, it } from '@jest/globals';
import type { HostResponse } from '@morgan/distributed-llm';
import type { ResponseStream } from '@morgan/llm-protocol';
import { StreamResumption } from './stream-resumption.ts';

const MIB = 1024 * 1024;

it.each([
  [1 * MIB, ['continue', 'restart']],
  [8 * MIB, ['restart']],
])('makes no other request of a long one: %i bytes', async (bytes, modes) => {
  const body = Buffer.from(JSON.stringify({ messages: [{ role: 'user', content: 'x'.repeat(bytes) }] }));
  const asked: string[] = [];
  const resumption = new StreamResumption({ host: 'first' } as HostResponse, {
    hosts: [{ name: 'second', continuation: 'vllm' }],
    servedBy: () => ['second'],
    dialectName: 'chat',
    body,
    mostTokens: Infinity,
    attempts: () => 1,
    ask: (sent, { takesUp }) => {
      asked.push(takesUp);
      if (takesUp === 'restart') expect(sent).toBe(body);
      return Promise.resolve(undefined);
    },
  });
  for (const mode of ['continue', 'restart'] as const)
    await resumption.reopen(mode, { text: 'One', tokens: 1 });
  expect(asked).toEqual(modes);
});

it.each([
  ['restart', ['second third fourth', 'third fourth'], 'fourth'],
  // Each is asked in its own way.
  ['continue', ['second fourth', 'third'], 'third'],
] as const)('asks another host where one refuses what the first has begun: %s', async (mode, all, taker) => {
  const asked: string[] = [];
  const stream = {} as ResponseStream;
  const names = ['first', 'second', 'third', 'fourth'];
  const resumption = new StreamResumption({ host: 'first' } as HostResponse, {
    hosts: names.map((name) => ({ name, continuation: name === 'third' ? 'prefix' : 'vllm' })),
    servedBy: () => names,
    dialectName: 'chat',
    body: Buffer.from('{"messages":[{"role":"user","content":"x"}]}'),
    mostTokens: Infinity,
    attempts: () => 1,
    ask: (_, { only }) => {
      asked.push(only.join(' '));
      return Promise.resolve(asked.length === 1 ? { host: 'second' } : { host: taker, stream });
    },
  });
  const reopened = await resumption.reopen(mode, { text: 'One', tokens: 1 });
  expect([asked, reopened]).toEqual([all, stream]);
});

it('asks no more hosts than two that refuse it', async () => {
  const names = ['first', 'second', 'third', 'fourth'];
  let count = 0;
  const resumption = new StreamResumption({ host: 'first' } as HostResponse, {
    hosts: names.map((name) => ({ name, continuation: undefined })),
    servedBy: () => names,
    dialectName: 'chat',
    body: Buffer.from('{}'),
    mostTokens: Infinity,
    attempts: () => 1,
    ask: (_, { only: [host = ''] }) => {
      count += 1;
      return Promise.resolve({ host });
    },
  });
  expect(await resumption.reopen('restart', { text: 'One', tokens: 1 })).toBeUndefined();
  expect(count).toBe(2);
});
