import { describe, expect, it } from '@jest/globals';
import { AppError } from '../errors/app-error.ts';
import { assessCall } from './assess-call.ts';

const context = { id: 'call', signal: new AbortController().signal };
const verdictOf = (error: unknown) => assessCall({ error }, context).verdict;
const withStatus = (status: number) => Object.assign(new Error('response'), { status });

function aborted(reason?: unknown) {
  const caller = new AbortController();
  caller.abort(reason);
  return { id: 'call', signal: caller.signal };
}

describe('the assessment of a call', () => {
  it.each([200, 204, 301, 400, 401, 403, 404, 409, 413, 422, 499])(
    'with a response %i is a success',
    (status) => {
      const success = { verdict: 'success', overloaded: false };
      expect(assessCall({ result: { status } }, context)).toMatchObject(success);
      expect(assessCall({ result: { statusCode: status } }, context)).toMatchObject(success);
      expect(assessCall({ error: withStatus(status) }, context)).toMatchObject(success);
    },
  );

  it.each([408, 425, 429, 500, 502, 503, 504, 529])('with a response %i is a failure', (status) => {
    const overloaded = [429, 503, 529].includes(status);
    const failure = { verdict: 'failure', overloaded };
    expect(assessCall({ result: new Response(null, { status }) }, context)).toMatchObject(failure);
    expect(assessCall({ error: withStatus(status) }, context)).toMatchObject(failure);
  });

  it('is a success for any result without a status', () => {
    for (const result of [undefined, null, 7, 'text', {}, { status: 'done' }])
      expect(assessCall({ result }, context)).toEqual({ verdict: 'success', overloaded: false });
  });

  it("ignores the caller's own abort, whatever the error looks like", () => {
    for (const error of [withStatus(500), new AppError('host_timeout', 'Late.'), new Error('reset')])
      expect(assessCall({ error }, aborted())).toEqual({ verdict: 'ignored', overloaded: false });
    expect(verdictOf(new DOMException('somebody else', 'AbortError'))).toBe('ignored');
  });

  it('is a failure when the signal says that time ran out', () => {
    const failure = { verdict: 'failure', overloaded: true };
    for (const late of [new DOMException('late', 'TimeoutError'), new AppError('deadline_exceeded', 'Late.')])
      expect(assessCall({ error: late }, aborted(late))).toMatchObject(failure);
  });
});
