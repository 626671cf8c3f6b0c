import { describe, expect, it } from '@jest/globals';
import { nameFault } from './name-fault.ts';

const replyError = (message: string) => Object.assign(new Error(message), { name: 'ReplyError' });
const withCode = (message: string, code: unknown) => Object.assign(new Error(message), { code });

describe('the name of a fault', () => {
  it.each<[string, unknown, string]>([
    ['the first word of an answer', replyError('WRONGPASS for key secret'), 'WRONGPASS'],
    ['that there is no connection', new Error("Stream isn't writeable and so on"), 'no connection'],
    [
      'that somebody else answers',
      new Error('Unknown RESP type "H" in "HTTP/1.1"'),
      'not the protocol of Redis',
    ],
    [
      'the code of the system',
      withCode('connect ECONNREFUSED 10.0.0.1:6379', 'ECONNREFUSED'),
      'ECONNREFUSED',
    ],
    ['what it says itself where its code is none', withCode('Command timed out', 7), 'Command timed out'],
    ['what it says itself', new Error('Command timed out'), 'Command timed out'],
    ['nothing of what is no error', 'redis://:secret@host', 'unknown'],
  ])('is %s', (_, fault, name) => {
    expect(nameFault(fault)).toBe(name);
  });
});
