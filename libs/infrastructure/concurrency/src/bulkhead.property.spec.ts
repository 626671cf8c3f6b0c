import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type CallContext, Deadline } from '@morgan/foundation';
import fc from 'fast-check';
import { settle } from '../fixture/calls.ts';
import { Bulkhead } from './bulkhead.ts';

type Step =
  | { readonly do: 'send'; readonly deadlineMs: number | undefined }
  | { readonly do: 'finish' | 'fail' | 'abort'; readonly which: number }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'resize'; readonly to: number };

const steps = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('send' as const),
        deadlineMs: fc.option(fc.integer({ min: 0, max: 60 }), { nil: undefined }),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constantFrom('finish' as const, 'fail' as const, 'abort' as const),
        which: fc.nat(),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat({ max: 40 }) }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('resize' as const), to: fc.integer({ min: 1, max: 4 }) }),
    },
  ),
  { maxLength: 60, size: 'max' },
);

class Call {
  readonly caller = new AbortController();
  readonly work = Promise.withResolvers<void>();
  begun = 0;
  settled = 0;
  #isWorkOver = false;
  readonly context: CallContext;

  constructor(
    readonly order: number,
    deadlineMs: number | undefined,
  ) {
    const deadline = deadlineMs === undefined ? undefined : Deadline.after(deadlineMs);
    const over = () => (this.#isWorkOver = true);
    this.work.promise.then(over, over);
    this.context = { id: String(order), signal: this.caller.signal, deadline };
  }

  get waits(): boolean {
    return this.begun === 0 && this.settled === 0;
  }

  get runs(): boolean {
    return this.begun === 1 && !this.#isWorkOver;
  }
}

/** Plays the steps and notes every breach of what a bulkhead promises. */
class Play {
  readonly calls: Call[] = [];
  readonly breaches: string[] = [];
  readonly bulkhead: Bulkhead;

  constructor(
    private maxConcurrent: number,
    private readonly maxQueue: number,
  ) {
    this.bulkhead = new Bulkhead({ name: 'host', maxConcurrent, maxQueue });
  }

  async take(step: Step): Promise<void> {
    if (step.do === 'send') this.#send(step.deadlineMs);
    else if (step.do === 'pass') jest.advanceTimersByTime(step.ms);
    else if (step.do === 'resize') this.bulkhead.resize((this.maxConcurrent = step.to));
    else {
      const open = this.calls.filter((call) => (step.do === 'abort' ? call.settled === 0 : call.runs));
      const call = open[step.which % Math.max(1, open.length)];
      if (step.do === 'abort') call?.caller.abort(new Error('gone'));
      if (step.do !== 'finish') call?.work.reject(new Error('fault'));
      else call?.work.resolve();
    }
    await settle();
    this.#check(step);
  }

  async finish(): Promise<void> {
    for (let left = this.calls.length; left > 0; left -= 1) {
      for (const call of this.calls) if (call.runs) call.work.resolve();
      await settle();
    }
  }

  #send(deadlineMs: number | undefined): void {
    const call = new Call(this.calls.length, deadlineMs);
    this.calls.push(call);
    const ended = () => (call.settled += 1);
    this.bulkhead.execute(() => this.#begin(call), call.context).then(ended, ended);
  }

  #begin(call: Call): Promise<void> {
    const overtaken = this.calls.find((other) => other.waits && other.order < call.order);
    if (overtaken) this.breaches.push(`${call.order} overtook ${overtaken.order}`);
    call.begun += 1;
    if (this.calls.filter(({ runs }) => runs).length > this.maxConcurrent) this.breaches.push('too many run');
    return call.work.promise;
  }

  #check(step: Step): void {
    const running = this.calls.filter(({ runs }) => runs).length;
    const waiting = this.calls.filter(({ waits }) => waits).length;
    const status = this.bulkhead.getStatus();
    const after = `after ${JSON.stringify(step)}`;
    if (status.running !== running) this.breaches.push(`a slot leaked ${after}`);
    if (status.waiting !== waiting) this.breaches.push(`the queue is wrong ${after}`);
    if (waiting > this.maxQueue) this.breaches.push(`too many wait ${after}`);
    if (waiting > 0 && running < this.maxConcurrent) this.breaches.push(`a slot stays free ${after}`);
  }
}

describe('a bulkhead in any interleaving', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('keeps its limit and its order, settles every call once and leaks nothing', async () => {
    const size = fc.integer({ min: 1, max: 3 });
    await fc.assert(
      fc.asyncProperty(size, fc.nat({ max: 5 }), steps, async (maxConcurrent, maxQueue, script) => {
        const play = new Play(maxConcurrent, maxQueue);
        for (const step of script) await play.take(step);
        await play.finish();
        expect(play.breaches).toEqual([]);
        expect(play.calls.filter(({ settled, begun }) => settled !== 1 || begun > 1)).toEqual([]);
        expect(play.bulkhead.getStatus()).toMatchObject({ running: 0, waiting: 0 });
        expect(jest.getTimerCount()).toBe(0);
        const listeners = play.calls.flatMap(({ caller }) => getEventListeners(caller.signal, 'abort'));
        expect(listeners).toEqual([]);
      }),
      { numRuns: 300, seed: 20_240_607 },
    );
  });
});
