import { expect, it } from '@jest/globals';
import type { HostResponse } from '@morgan/distributed-llm';
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
