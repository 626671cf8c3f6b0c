import { describe, expect, it } from '@jest/globals';
import { TargetLoad } from './target-load.ts';

const figures = (load: TargetLoad, now: number) => [load.inFlight, load.tokensInFlight, load.ttftMsAt(now)];

describe('the load of a target', () => {
  it('counts a call to its end and its tokens to its first content', () => {
    const load = new TargetLoad();
    const call = load.begin(1_000, 0);
    load.begin(500, 0);
    expect(figures(load, 0)).toEqual([2, 1_500, 0]);
    call.began(300);
    expect(figures(load, 300)).toEqual([2, 500, 300]);
    call.ended(900, undefined);
    expect(figures(load, 300)).toEqual([1, 500, 300]);
  });

  it('takes silence for slowness while it lasts', () => {
    const load = new TargetLoad();
    const first = load.begin(100, 0);
    const second = load.begin(100, 4_000);
    expect(load.ttftMsAt(5_000)).toBe(5_000);
    first.ended(5_000, 'target');
    expect(load.ttftMsAt(5_000)).toBe(1_000);
    second.ended(5_000, 'target');
    expect(load.ttftMsAt(5_000)).toBe(4_000);
  });

  it('does not count the time that a call waits here before it is sent', () => {
    const load = new TargetLoad();
    const call = load.begin(100, 0);
    call.sent(3_000);
    expect(load.ttftMsAt(3_500)).toBe(500);
    call.began(3_600);
    expect(load.ttftMsAt(3_600)).toBe(600);
  });

  it('remembers a silence that was given up', () => {
    const load = new TargetLoad();
    load.begin(100, 0).ended(7_000, undefined);
    expect(figures(load, 7_000)).toEqual([0, 0, 7_000]);
  });

  it('learns nothing from a caller who leaves early', () => {
    const load = new TargetLoad();
    load.begin(100, 0).began(400);
    load.begin(100, 400).ended(410, undefined);
    expect(load.ttftMsAt(400)).toBe(400);
  });

  it('takes a failure before the first content for slow, one behind it not', () => {
    const load = new TargetLoad();
    load.begin(100, 0).ended(5, 'target');
    expect(load.ttftMsAt(5)).toBe(1_000);
    const call = load.begin(100, 5);
    call.began(205);
    call.ended(300, 'target');
    expect(load.ttftMsAt(205)).toBe(200);
  });

  it('takes no other model for slow where one failed, until the target fails as a whole', () => {
    const load = new TargetLoad();
    load.begin(100, 0, 'well').began(50);
    load.begin(100, 50, 'broken').ended(55, 'model');
    expect(load.ttftMsAt(55, 'broken')).toBe(1_000);
    expect(load.ttftMsAt(55, 'well')).toBeLessThanOrEqual(50);
    load.begin(100, 55, 'broken').ended(60, 'target');
    expect(load.ttftMsAt(60, 'well')).toBeGreaterThanOrEqual(1_000);
    load.begin(100, 60, 'well').began(110);
    expect(load.ttftMsAt(110, 'well')).toBeLessThanOrEqual(50);
    expect(load.ttftMsAt(110, 'broken')).toBeGreaterThan(900);
  });

  it('takes a failure back that the request was to blame for, and those before it not', () => {
    const load = new TargetLoad();
    load.begin(100, 0).began(300);
    const [first, second] = [load.begin(100, 300), load.begin(100, 300)];
    for (const call of [first, second]) call.ended(300, 'model');
    expect(load.ttftMsAt(300)).toBe(4_800);
    second.excused();
    expect(load.ttftMsAt(300)).toBe(1_200);
    first.excused();
    expect(load.ttftMsAt(300)).toBe(300);
  });

  it('forgives failures with the next answer, not a slow one', () => {
    const load = new TargetLoad();
    load.begin(100, 0).began(300);
    for (let count = 0; count < 5; count += 1) load.begin(100, 300).ended(300, 'target');
    expect(load.ttftMsAt(300)).toBe(300_000);
    load.begin(100, 300).began(500);
    expect(load.ttftMsAt(500)).toBeCloseTo(296, -1);
  });

  it('keeps nothing of calls that are over', () => {
    const load = new TargetLoad();
    for (let call = 0; call < 10_000; call += 1)
      load.begin(100, call).ended(call + 1, call % 2 === 0 ? 'target' : undefined);
    expect(load).toMatchObject({ inFlight: 0, tokensInFlight: 0 });
    expect(load.ttftMsAt(1e9)).toBeUndefined();
  });
});
