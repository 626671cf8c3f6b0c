import { describe, expect, it } from '@jest/globals';
import { Admission } from './admission.ts';
import { EmbeddingJob } from './embedding-job.ts';

const job = (caller?: string) => new EmbeddingJob({ inputs: ['x'], caller, truncate: true, paramOf: String });

/** Fills an admission with calls of so many tokens. */
function filled(limit: number, ...calls: number[]) {
  const admission = new Admission(limit);
  const jobs = calls.map((tokens) => {
    const one = job();
    admission.admit(one, tokens);
    return one;
  });
  return { admission, jobs };
}
const refusal = (admission: Admission, tokens = 1): { code: string; retryAfterMs: number } | undefined => {
  try {
    admission.admit(job(), tokens);
    return undefined;
  } catch (error) {
    return error as { code: string; retryAfterMs: number };
  }
};

describe('Admission', () => {
  it('admits a call of any size while there is room', () => {
    expect(refusal(filled(800, 99, 600).admission, 1_000_000)).toBeUndefined();
  });

  it('counts a large call with an eighth of the limit: it delays others by no more than that', () => {
    const { admission } = filled(800, 1e6, 1e6, 1e6, 1e6, 1e6, 1e6);
    expect(admission.tokens).toBe(6e6);
    expect(refusal(admission, 1e6)).toBeUndefined();
    expect(refusal(admission, 1e6)).toMatchObject({ code: 'queue_full' });
  });

  it('keeps its last eighth for small calls, of callers with and without a key', () => {
    const { admission } = filled(25_600, ...new Array<number>(7).fill(1e6));
    expect(refusal(admission, 101)).toMatchObject({ code: 'queue_full' });
    for (let call = 0; call < 16; call += 1) admission.admit(job(), 100);
    for (let call = 0; call < 16; call += 1) admission.admit(job(`caller ${call}`), 100);
    expect(refusal(admission, 1)).toMatchObject({ code: 'queue_full' });
  });

  it('takes a query of a caller whose own large calls have taken all that they may', () => {
    const admission = new Admission(25_600);
    for (let call = 0; call < 5; call += 1) admission.admit(job('both'), 1e6);
    expect(() => admission.admit(job('both'), 1e6)).toThrow('of your API key');
    expect(() => admission.admit(job('both'), 100)).not.toThrow();
  });

  it('keeps a quarter of what calls may take from any one caller', () => {
    const admission = new Admission(800);
    const loud = Array.from({ length: 5 }, () => job('loud'));
    for (const one of loud) admission.admit(one, 1e6);
    expect(() => admission.admit(job('loud'), 1e6)).toThrow('500 tokens of your API key wait for the model');
    expect(() => admission.admit(job('quiet'), 1e6)).not.toThrow();
    admission.forget(loud[0] as EmbeddingJob);
    expect(() => admission.admit(job('loud'), 1)).not.toThrow();
  });

  it('leaves something for one more caller, however many greedy ones there are', () => {
    const admission = new Admission(80_000);
    for (const caller of ['first', 'second', 'third', 'fourth'])
      for (let isIn = true; isIn;) {
        try {
          admission.admit(job(caller), 10);
        } catch {
          isIn = false;
        }
      }
    expect(() => admission.admit(job('modest'), 1e6)).not.toThrow();
  });

  it('has room again when tokens are done, and when a call is over', () => {
    const { admission, jobs } = filled(800, ...new Array<number>(7).fill(100), 1);
    admission.adjust(jobs[7] as EmbeddingJob, 99);
    expect(refusal(admission)).toBeDefined();
    admission.adjust(jobs[0] as EmbeddingJob, -1);
    expect(refusal(admission)).toBeUndefined();
    expect(refusal(admission)).toBeDefined();
    admission.forget(jobs[1] as EmbeddingJob);
    expect(refusal(admission)).toBeUndefined();
  });

  it('hears no more of a call that is over', () => {
    const { admission, jobs } = filled(800, ...new Array<number>(7).fill(100));
    for (const over of jobs) {
      admission.forget(over);
      admission.adjust(over, 1e6);
      admission.forget(over);
    }
    expect([admission.tokens, jobs.map(({ admitted }) => admitted)]).toEqual([0, jobs.map(() => undefined)]);
    for (let call = 0; call < 7; call += 1) expect(refusal(admission, 100)).toBeUndefined();
  });

  it('says when the first of the calls that wait should be through, from the measured throughput', () => {
    const { admission } = filled(800, 12_000, ...new Array<number>(6).fill(50_000));
    const large = 1_000;
    expect(refusal(admission, large)?.retryAfterMs).toBe(1_000);
    // Two processes, each 4 tokens a millisecond: 7 large calls and a small one take turns, and the smallest of the large ones has 12,000 tokens left.
    admission.measured(4_000, 1_000, 2);
    admission.admit(job(), 1);
    expect(refusal(admission, large)?.retryAfterMs).toBe((12_000 * 8) / 8);
  });

  it('never says more than a minute', () => {
    const { admission } = filled(800, ...new Array<number>(7).fill(1e9));
    admission.measured(1, 1_000, 1);
    expect(refusal(admission, 1e9)?.retryAfterMs).toBe(60_000);
  });
});
