import { describe, expect, it } from '@jest/globals';
import { Deadline } from '@morgan/foundation';
import { RequestContext } from './request-context.ts';

describe('the context of a request', () => {
  it('frees what it was given when the response is over', () => {
    const context = new RequestContext('id', undefined);
    const freed: string[] = [];
    context.whenOver(() => freed.push('one'));
    context.whenOver(() => freed.push('two'));
    expect(freed).toEqual([]);
    context.end();
    expect(freed).toEqual(['one', 'two']);
  });

  it('frees at once what comes after that: room in a queue can be given to a client that has just left', () => {
    const context = new RequestContext('id', undefined);
    context.end();
    const freed: string[] = [];
    context.whenOver(() => freed.push('late'));
    expect(freed).toEqual(['late']);
  });

  it("limits the whole call from its beginning, and never lengthens the caller's deadline", () => {
    const context = new RequestContext('id', undefined);
    context.limitTo(1_000);
    expect(context.deadline?.at).toBe(context.startedAt + 1_000);
    context.limitTo(5_000);
    expect(context.deadline?.at).toBe(context.startedAt + 1_000);
    const near = Deadline.after(10);
    const called = new RequestContext('id', near);
    called.limitTo(1_000);
    expect(called.deadline).toBe(near);
  });
});
