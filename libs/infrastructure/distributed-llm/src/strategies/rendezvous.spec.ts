import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { candidate } from '../../fixture/candidate.ts';
import { rendezvousScore, textHash } from './rendezvous.ts';
import type { Candidate } from './strategy.ts';

const KEYS = Array.from({ length: 2_000 }, (_, index) => textHash(`session-${index}`));
const FIXED = { seed: 20_261_126, numRuns: 12 };

const ownerOf = (key: number, fleet: readonly Candidate[]) =>
  fleet
    .map((one) => ({ name: one.name, score: rendezvousScore(key, one) }))
    .reduce((best, one) => (one.score > best.score ? one : best)).name;
const ownersOf = (fleet: readonly Candidate[]) => KEYS.map((key) => ownerOf(key, fleet));

const fleets = fc
  .uniqueArray(
    fc.record({
      name: fc.string({ minLength: 1, maxLength: 20 }),
      weight: fc.double({ min: 0.1, max: 10, noNaN: true }),
    }),
    { minLength: 2, maxLength: 10, selector: ({ name }) => name },
  )
  .map((hosts) => hosts.map(({ name, weight }) => candidate(name, { weight })));
const shareOf = (one: Candidate, fleet: readonly Candidate[]) =>
  one.weight / fleet.reduce((sum, { weight }) => sum + weight, 0);
/** Five standard deviations of so many independent keys. */
const tolerance = (share: number) => 5 * Math.sqrt((share * (1 - share)) / KEYS.length);

describe('rendezvous hashing', () => {
  it('gives each host its share of the keys', () => {
    const property = fc.property(fleets, (fleet) => {
      const owners = ownersOf(fleet);
      for (const host of fleet) {
        const share = owners.filter((owner) => owner === host.name).length / KEYS.length;
        expect(Math.abs(share - shareOf(host, fleet))).toBeLessThan(tolerance(shareOf(host, fleet)));
      }
    });
    fc.assert(property, FIXED);
  });

  it('moves to a new host its share of the keys, and no other key', () => {
    const property = fc.property(fleets, ([added, ...others]) => {
      const host = added as Candidate;
      const [before, after] = [ownersOf(others), ownersOf([...others, host])];
      const moved = KEYS.flatMap((_, index) => (before[index] === after[index] ? [] : [after[index]]));
      expect(new Set(moved)).toEqual(new Set(moved.length > 0 ? [host.name] : []));
      const share = shareOf(host, [...others, host]);
      expect(moved.length / KEYS.length).toBeLessThan(share + tolerance(share));
    });
    fc.assert(property, FIXED);
  });

  it('moves the keys of a host that goes away to all the others by weight, and no other key', () => {
    const [a, b, c, d] = [1, 1, 2, 4].map((weight, index) => candidate(`host-${index}`, { weight }));
    const fleet = [a, b, c, d] as Candidate[];
    const [before, after] = [ownersOf(fleet), ownersOf(fleet.slice(0, 3))];
    const moved = after.filter((_, index) => before[index] === 'host-3');
    expect(after.filter((owner, index) => owner !== before[index])).toEqual(moved);
    const shares = ['host-0', 'host-1', 'host-2'].map(
      (name) => moved.filter((owner) => owner === name).length / moved.length,
    );
    [0.25, 0.25, 0.5].forEach((share, index) => expect(shares[index]).toBeCloseTo(share, 1));
  });

  it('moves keys only towards a host that gets heavier', () => {
    const fleet = [candidate('a'), candidate('b'), candidate('c')];
    const before = ownersOf(fleet);
    const after = ownersOf([candidate('a', { weight: 1.5 }), ...fleet.slice(1)]);
    expect(new Set(after.filter((owner, index) => owner !== before[index]))).toEqual(new Set(['a']));
  });

  it('is the same in every process and order', () => {
    expect(['', 'a', 'foobar'].map(textHash)).toEqual([0x811c9dc5, 0xe40c292c, 0xbf9cf968]);
    const fleet = ['gpu1', 'gpu2', 'gpu3'].map((name) => candidate(name));
    expect(ownersOf(fleet.toReversed())).toEqual(ownersOf(fleet));
    expect(ownersOf(fleet).slice(0, 6).join(' ')).toBe('gpu1 gpu3 gpu3 gpu3 gpu3 gpu2');
  });
});
