import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { MessageReader } from './message-reader.ts';

const messageOf = (length: number) =>
  Buffer.from(
    JSON.stringify({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'a'.repeat(length) }] }),
  );

describe('a reader of messages', () => {
  it.each([
    ['one at a time', 100_000, 1],
    ['all at once where they are small', 100, 20],
  ])(
    'reads those that come together %s, with turns for everybody else in between',
    async (_, length, most) => {
      const reader = new MessageReader();
      let [read, readInTurn, mostInTurn] = [0, 0, 0];
      for (let count = 0; count < 20; count += 1)
        void reader.chat(messageOf(length), {}).then(() => {
          read += 1;
          readInTurn += 1;
        });
      while (read < 20) {
        await setImmediate();
        mostInTurn = Math.max(mostInTurn, readInTurn);
        readInTurn = 0;
      }
      expect(mostInTurn).toBe(most);
    },
  );
});
