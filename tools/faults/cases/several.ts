import type { FaultCase } from '../fault-case.ts';
import { type Behaviour, GOOD, REFUSED } from '../fault-host.ts';
import { refusal, silence } from '../replies.ts';
import { PROMPT_MS } from '../stage.ts';
import type { Expected } from '../verdict.ts';

const full = (seconds: number): Behaviour => ({
  name: `429 for ${seconds} s`,
  reply: refusal(429, 'Please slow down.', { headers: { 'retry-after': String(seconds) } }),
});
const BROKEN: Behaviour = { name: '500', reply: refusal(500, 'Engine died.') };
const GONE: Behaviour = { name: REFUSED, reply: silence };
const LOCKED: Behaviour = { name: '401', reply: refusal(401, 'Incorrect API key provided.') };
const UNKNOWN: Behaviour = {
  name: '404',
  reply: refusal(404, 'The model `MODEL` does not exist.', { code: 'model_not_found' }),
};

interface Several {
  readonly name: string;
  readonly tiers: readonly (readonly string[])[];
  /** What each host does, in their order. */
  readonly does: readonly Behaviour[];
  readonly expected: Omit<Expected, 'withinMs' | 'attempts'>;
}

const SEVERAL: readonly Several[] = [
  { name: 'full-broken-well', tiers: [['a', 'b', 'c']], does: [full(12), BROKEN, GOOD], expected: {} },
  { name: 'gone-locked-then-tier', tiers: [['a', 'b'], ['c']], does: [GONE, LOCKED, GOOD], expected: {} },
  {
    name: 'unknown-broken-then-tier',
    tiers: [['a', 'b'], ['c']],
    does: [UNKNOWN, BROKEN, GOOD],
    expected: {},
  },
  {
    name: 'all-full',
    tiers: [['a', 'b', 'c']],
    does: [full(14), full(12), full(13)],
    expected: { status: 429, says: /slow down/, retryAfterS: [1, 12] },
  },
  {
    name: 'all-unknown',
    tiers: [['a', 'b']],
    does: [UNKNOWN, UNKNOWN],
    expected: { status: 404, says: /does not exist/ },
  },
  {
    name: 'unknown-and-broken',
    tiers: [['a', 'b']],
    does: [UNKNOWN, BROKEN],
    expected: { status: 500, says: /Engine died/ },
  },
  {
    name: 'full-broken-gone',
    tiers: [['a', 'b', 'c']],
    does: [full(12), BROKEN, GONE],
    expected: { status: 429, says: /slow down/ },
  },
  {
    name: 'all-gone',
    tiers: [['a', 'b'], ['c']],
    does: [GONE, GONE, GONE],
    expected: { status: 503, says: /no_host_available/ },
  },
  {
    name: 'all-locked',
    tiers: [['a', 'b']],
    does: [LOCKED, LOCKED],
    expected: { status: 502, says: /host_rejected_credentials/ },
  },
];

/** Several hosts in trouble at once. */
export const several: readonly FaultCase[] = SEVERAL.map(({ name, tiers, does, expected }) => ({
  name: `several/${name}`,
  group: 'short',
  tiers,
  trouble: `hosts: ${does.map(({ name: what }) => what).join(', ')}`,
  bound: `${expected.status ?? 200}, 4 attempts at most; back in 30 s`,
  async run(stage) {
    await stage.warm(3);
    for (const [at, behaviour] of does.entries()) await stage.begin(behaviour, stage.host(at));
    await stage.calls(6, {}, { ...expected, withinMs: PROMPT_MS, attempts: 4 });
    await stage.beside();
    for (const host of stage.hosts) await host.behave(GOOD);
    await stage.untilBack({ withinMs: 30_000, others: false });
  },
}));
