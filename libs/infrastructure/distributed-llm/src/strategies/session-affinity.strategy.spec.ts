import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { candidates, type PlainCandidate as Candidate } from '../../fixture/candidate.ts';
import { SessionAffinityStrategy } from './session-affinity.strategy.ts';
import type { CallTraits } from './strategy.ts';

const call = { sessionKey: 'a conversation', promptTokens: 1_000 };
const fleet = candidates(4, { ttftMs: 300 });
const chosen = (targets: readonly Candidate[], of = call) =>
  new SessionAffinityStrategy().choose(targets, of).name;
const own = chosen(fleet);
const next = chosen(fleet.filter(({ name }) => name !== own));
const changed = (changes: Record<string, Partial<Candidate>>, targets = fleet) =>
  targets.map((target) => ({ ...target, ...changes[target.name] }));
const othersWith = (rest: Partial<Candidate>) =>
  Object.fromEntries(fleet.filter(({ name }) => name !== own).map(({ name }) => [name, rest]));
/** How many different ones a thousand choices name. */
const spread = (targets: readonly Candidate[], of: CallTraits) => {
  const strategy = new SessionAffinityStrategy();
  return new Set(Array.from({ length: 1_000 }, () => strategy.choose(targets, of).name)).size;
};

describe('session affinity', () => {
  it('keeps a session on its target, in whatever process and order of candidates', () => {
    expect(spread(fleet, call)).toBe(1);
    expect(chosen(fleet.toReversed())).toBe(own);
  });

  it('spreads sessions', () => {
    const names = Array.from({ length: 100 }, (_, index) =>
      chosen(fleet, { ...call, sessionKey: `${index}` }),
    );
    expect(new Set(names).size).toBe(4);
  });

  it('goes back to its own target when that is there again', () => {
    expect(next).not.toBe(own);
    expect(chosen(fleet)).toBe(own);
  });

  it('stays up to twice the mean load', () => {
    // The mean with this call: (5,000 + 3 x 2,000 + 1,000) / 4 = 3,000.
    const busy = (tokensInFlight: number) =>
      changed({ ...othersWith({ tokensInFlight: 2_000 }), [own]: { tokensInFlight } });
    expect(chosen(busy(5_000))).toBe(own);
    expect(chosen(busy(6_900))).toBe(own);
    expect(chosen(busy(7_100))).toBe(next);
  });

  it('takes a heavier target to bear more', () => {
    const heavy = { ...othersWith({ tokensInFlight: 2_000 }), [own]: { tokensInFlight: 7_100, weight: 2 } };
    expect(chosen(changed(heavy))).toBe(own);
  });

  it('stays where less waits than its own prompt, however idle the others are', () => {
    expect(chosen(changed({ [own]: { tokensInFlight: 1_000 } }))).toBe(own);
    expect(chosen(changed({ [own]: { tokensInFlight: 1_001 } }))).toBe(next);
    // The mean with this call is 250: twice that is less than the prompt.
    const many = candidates(8, { ttftMs: 300 });
    const ownOfMany = chosen(many);
    expect(chosen(changed({ [ownOfMany]: { tokensInFlight: 1_000 } }, many))).toBe(ownOfMany);
    expect(chosen(changed({ [ownOfMany]: { tokensInFlight: 1_001 } }, many))).not.toBe(ownOfMany);
  });

  it('goes to no target with more than 1.25 times the mean load', () => {
    const loads = { ...othersWith({ tokensInFlight: 2_000 }), [own]: { tokensInFlight: 20_000 } };
    // The mean with this call: (20,000 + 2 x 2,000 + tokens + 1,000) / 4, so the bound is at 11,364.
    expect(chosen(changed({ ...loads, [next]: { tokensInFlight: 11_300 } }))).toBe(next);
    const third = chosen(changed({ ...loads, [next]: { tokensInFlight: 11_400 } }));
    expect([own, next]).not.toContain(third);
  });

  it('leaves a target that is three times as slow as the others', () => {
    expect(chosen(changed({ [own]: { ttftMs: 890 } }))).toBe(own);
    expect(chosen(changed({ [own]: { ttftMs: 910 } }))).toBe(next);
    const quick = changed({ [own]: { ttftMs: 55 }, ...othersWith({ ttftMs: 5 }) });
    expect(chosen(quick)).toBe(own);
    expect(chosen(quick.map((each) => (each.name === own ? { ...each, ttftMs: 56 } : each)))).toBe(next);
    expect(chosen(changed({ [own]: { tokensInFlight: 1_500 }, [next]: { ttftMs: 910 } }))).not.toBe(next);
  });

  it('takes a target that it knows nothing of for a good one', () => {
    expect(chosen(changed({ [own]: { ttftMs: undefined } }))).toBe(own);
    expect(chosen(changed({ ...othersWith({ ttftMs: undefined }), [own]: { ttftMs: 60_000 } }))).toBe(own);
  });

  it('goes by power of two choices without a key or with a short prompt', () => {
    expect(spread(fleet, { ...call, sessionKey: undefined })).toBe(4);
    expect(spread(fleet, { ...call, promptTokens: 255 })).toBe(4);
    expect(spread(fleet, { ...call, promptTokens: 256 })).toBe(1);
    const oneFast = changed({ [own]: { ttftMs: 20 } }).slice(0, 2);
    expect(
      spread(changed({ [fleet[0]?.name ?? '']: { ttftMs: 20 } }, oneFast), {
        ...call,
        sessionKey: undefined,
      }),
    ).toBe(1);
  });

  it('keeps a session that the caller names by a header together, however short its prompts are', () => {
    const named = { ...call, promptTokens: 1, namesSession: true };
    expect(spread(fleet, named)).toBe(1);
    expect(chosen(fleet, named)).toBe(own);
    expect(spread(fleet, { ...named, sessionKey: undefined })).toBe(4);
  });

  it('goes by power of two choices where the fast ones are overloaded and the idle ones slow', () => {
    const [a, b] = candidates(2);
    const fast = { ...(a as Candidate), ttftMs: 100, tokensInFlight: 9_000 };
    const idle = { ...(b as Candidate), ttftMs: 500 };
    expect(spread([fast, idle], call)).toBe(1);
    expect(chosen([fast, idle])).toBe(idle.name);
  });

  it('sends not even one hot session to a target with more than its bound', () => {
    const prompts = fc.array(fc.integer({ min: 256, max: 50_000 }), { minLength: 1, maxLength: 200 });
    const property = fc.property(prompts, fc.integer({ min: 1, max: 8 }), (sizes, hosts) => {
      const strategy = new SessionAffinityStrategy();
      const loads = new Map(candidates(hosts).map(({ name }) => [name, 0]));
      let sum = 0;
      for (const promptTokens of sizes) {
        sum += promptTokens;
        const targets = candidates(hosts).map((one) => ({
          ...one,
          tokensInFlight: loads.get(one.name) ?? 0,
        }));
        const { name, tokensInFlight } = strategy.choose(targets, { ...call, promptTokens });
        expect(tokensInFlight).toBeLessThanOrEqual(Math.max(promptTokens, (2 * sum) / hosts));
        loads.set(name, tokensInFlight + promptTokens);
      }
    });
    fc.assert(property);
  });
});
