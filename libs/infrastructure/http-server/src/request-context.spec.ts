import { once } from 'node:events';
import { describe, expect, it, jest } from '@jest/globals';
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

  it('keeps its deadline where it is asked to: the signal says which of the two ended the call', async () => {
    const late = new RequestContext('id', Deadline.after(5));
    expect(late.keepsDeadline).toBe(false);
    late.keepDeadline();
    expect(late.keepsDeadline).toBe(true);
    await once(late.signal, 'abort');
    expect(late.signal.reason).toMatchObject({ code: 'deadline_exceeded' });
    expect(late.isClientGone).toBe(false);

    const left = new RequestContext('id', Deadline.after(1_000));
    left.keepDeadline();
    left.abort();
    expect(left.signal.reason).toMatchObject({ name: 'AbortError' });
    expect(left.isClientGone).toBe(true);
  });

  it('ends at once what begins behind its deadline, and has no clock once the response is over', () => {
    const passed = new RequestContext('id', Deadline.after(0));
    passed.keepDeadline();
    expect(passed.signal.aborted).toBe(true);
    jest.useFakeTimers();
    const over = new RequestContext('id', Deadline.after(1_000));
    over.keepDeadline();
    expect(jest.getTimerCount()).toBe(1);
    over.end();
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  it('does not keep a deadline that has become nearer since', () => {
    const context = new RequestContext('id', undefined);
    context.limitTo(5_000);
    context.keepDeadline();
    context.limitTo(1_000);
    expect(context.keepsDeadline).toBe(false);
    context.end();
  });
});
