import { isGood } from '../caller.ts';
import type { Group } from '../case-description.ts';
import type { FaultCase } from '../fault-case.ts';
import { type Behaviour, GOOD, REFUSED } from '../fault-host.ts';
import { refusal, type Reply, reset, silence } from '../replies.ts';
import { PROMPT_MS, type Stage } from '../stage.ts';

const LAYOUTS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  alone: [['a']],
  equal: [['a', 'b']],
  tier: [['a'], ['b']],
};

const KINDS: Readonly<Record<string, Behaviour & { readonly statuses: readonly number[] }>> = {
  '500': { name: '500', reply: refusal(500, 'Engine died.'), statuses: [500] },
  reset: { name: 'reset', reply: reset, statuses: [502] },
  refused: { name: REFUSED, reply: silence, statuses: [502, 503] },
};

const FLAPPING_MS = 8_000;
const LONG_MS = 14_000;
/** How long a host asks to wait that is waited for. */
const WAIT_MS = 2_000;
/** In `scaled` all times of the breaker, and so the bounds, are a tenth. */
const SCALE: Readonly<Record<Group, number>> = { short: 1, streams: 1, scaled: 0.1, default: 1 };

/** Callers go on while something happens to the primary. Where there is another host nobody notices. */
async function callsDuring(stage: Stage, forMs: number, statuses: readonly number[]): Promise<void> {
  const isAlone = stage.hosts.length === 1;
  for (const until = performance.now() + forMs; performance.now() < until; await stage.pause(60, 180)) {
    const seen = await stage.call({ isStream: stage.seed.next() < 0.5 });
    if (isGood(seen)) continue;
    if (!isAlone) stage.misses.push(`${seen.caller}: ${seen.status} ${seen.end} although b is well`);
    else if (!statuses.includes(seen.status))
      stage.misses.push(`${seen.caller}: ${seen.status} ${seen.end} ${seen.text}`);
    if (seen.text.includes('No host can take'))
      stage.misses.push(`${seen.caller}: refused, and nobody was asked`);
  }
  const most = Math.max(...stage.seen.map((seen) => stage.attemptsOf(seen)));
  // A kept connection that is gone is tried once more on a new one.
  if (most > 4) stage.misses.push(`a call cost ${most} attempts`);
}

async function flap(stage: Stage, behaviour: Behaviour): Promise<void> {
  for (const until = performance.now() + FLAPPING_MS; performance.now() < until;) {
    await stage.primary.behave(behaviour);
    await stage.pause(150, 700);
    await stage.primary.behave(GOOD);
    await stage.pause(150, 700);
  }
}

const cases = (
  kind: string,
  group: Group,
  make: (
    layout: string,
    behaviour: Behaviour & { readonly statuses: readonly number[] },
  ) => Omit<FaultCase, 'name' | 'tiers' | 'group'>,
): FaultCase[] =>
  Object.entries(LAYOUTS).flatMap(([layout, tiers]) =>
    Object.entries(KINDS).map(([fault, behaviour]) => ({
      name: `${kind}-${fault}/${layout}`,
      group,
      tiers,
      ...make(layout, behaviour),
    })),
  );

const flapping = cases('flapping', 'short', (layout, behaviour) => ({
  trouble: `a is ${behaviour.name} and well by turns, for 8 s`,
  bound: layout === 'alone' ? 'nobody is refused unasked; back in 10 s' : 'every call 200; back in 30 s',
  async run(stage) {
    await stage.warm(4);
    await stage.begin(GOOD);
    await Promise.all([
      flap(stage, behaviour),
      callsDuring(stage, FLAPPING_MS, behaviour.statuses),
      stage.beside(),
    ]);
    await stage.untilBack({ withinMs: layout === 'alone' ? 10_000 : 30_000, others: layout !== 'alone' });
  },
}));

const long = (group: Group) =>
  cases(group === 'default' ? 'default/long' : 'scaled/long', group, (layout, behaviour) => {
    const backMs = (layout === 'alone' ? 10_000 : 30_000) * SCALE[group];
    return {
      trouble: `a is ${behaviour.name} for 14 s`,
      bound: `${layout === 'alone' ? 'nobody is refused unasked' : 'every call 200'}; back in ${backMs / 1_000} s`,
      async run(stage) {
        await stage.warm(4);
        await stage.begin(behaviour);
        await Promise.all([callsDuring(stage, LONG_MS, behaviour.statuses), stage.beside()]);
        await stage.untilBack({ withinMs: backMs, others: layout !== 'alone' });
      },
    };
  });

const once = (name: string, reply: Reply, layout: 'alone' | 'tier'): FaultCase => ({
  name: `${name}/${layout}`,
  group: 'short',
  tiers: LAYOUTS[layout] ?? [],
  trouble: `a does it once: ${name}`,
  bound: '200 from a with 2 attempts at most',
  async run(stage) {
    await stage.warm(1);
    let isFirst = true;
    const behaviour: Behaviour = {
      name,
      reply: (response, request) => {
        if (!isFirst) return GOOD.reply(response, request);
        isFirst = false;
        reply(response, request);
      },
    };
    await stage.begin(behaviour);
    const seen = await stage.call({}, { withinMs: WAIT_MS + PROMPT_MS, attempts: 2 });
    if (seen.host !== stage.primary.name) stage.misses.push(`answered by ${seen.host}`);
    await stage.untilBack({ withinMs: 10_000, others: true });
  },
});

/** One failure, flapping, and a long time without the primary. */
export const outages: readonly FaultCase[] = [
  once('500-once', refusal(500, 'Oops.'), 'alone'),
  once('500-once', refusal(500, 'Oops.'), 'tier'),
  once('reset-once', reset, 'alone'),
  once('429-short', refusal(429, 'Wait.', { headers: { 'retry-after': '2' } }), 'alone'),
  once('429-short', refusal(429, 'Wait.', { headers: { 'retry-after': '2' } }), 'tier'),
  once('503-loading-short', refusal(503, 'Loading model', { headers: { 'retry-after': '2' } }), 'alone'),
  ...flapping,
  ...long('scaled'),
  ...long('default').filter(({ name }) => /refused|500.equal/.test(name) && !name.endsWith('tier')),
];
