import { describe, expect, it } from '@jest/globals';
import { errorIn, outcomeOfRefusal, restTimeMs, statusWithin } from '@morgan/host-errors';
import { timedOnThread } from '@morgan/testing';
import { habitsShown, USUAL_HABITS } from './chat-habits.ts';
import { inKnownWords } from '../../dialects/too-long.ts';

/** What patterns begin with, and what they look for behind it, again and again and never to an end. */
const PARTS = [
  'unknown_',
  'not_valid_a_',
  'invalid model ',
  'model no such ',
  'concurren',
  'exceed',
  'tokens exceed ',
  'request too large tokens ',
  'access to the ',
  'invalid auth_',
  'max_tokens is not supported ',
  'set with --',
  '404 ',
  'system message ',
  'try again in 1',
  '1',
  ' ',
  'a',
];
/** As much as is read of a refusal; and what an error in an answer may have. */
const LENGTHS = [64 * 1024, 1024 * 1024];
const STATUSES = [400, 403, 404, 429, 500, 503];

/** All that is asked of the words of a refusal. */
function understand(words: string): void {
  for (const said of [{ message: words }, { message: 'maximum context length', code: words, type: words }]) {
    const error = errorIn({
      error: { ...said, metadata: { raw: words, headers: { ratelimit: words } } },
    });
    for (const status of STATUSES) outcomeOfRefusal({ status, error, isJson: true, saysWhen: false });
    if (!error) throw new Error('no error was found');
    statusWithin(error);
    habitsShown(USUAL_HABITS, error);
    restTimeMs(error.headers ?? {}, error.message);
    // Its limit is told first, as by hosts.
    inKnownWords({ ...error, message: `maximum context length is 8192. ${error.message}` });
  }
}

describe('a host that chooses its words to cost time', () => {
  it.each(PARTS.flatMap((part) => LENGTHS.map((length) => [part, length] as const)))(
    'is understood in two seconds of processor time at most: %j, %i bytes',
    (part, length) => {
      const words = part.repeat(length / part.length);
      expect(timedOnThread(() => understand(words)).ms).toBeLessThan(2_000);
    },
  );

  it('is asked back in a moment, whatever its headers are', () => {
    for (const part of ['remaining=0,', ';r=0', '1s', '1 ', '9']) {
      const words = part.repeat(16_384);
      const { ms } = timedOnThread(() => restTimeMs({ ratelimit: words, 'retry-after': words }));
      expect(ms).toBeLessThan(2_000);
    }
  });
});
