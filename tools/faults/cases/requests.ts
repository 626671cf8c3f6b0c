import { readFileSync } from 'node:fs';
import { isGood } from '../caller.ts';
import type { FaultCase } from '../fault-case.ts';
import { type Behaviour, GOOD } from '../fault-host.ts';
import { cutInContent, refusal, silence } from '../replies.ts';
import { PROMPT_MS, type Stage } from '../stage.ts';

const POISON: Behaviour = {
  name: 'poison',
  reply: (response, request) => {
    const reply = request.says.includes('poison') ? refusal(500, 'The image cannot be read.') : GOOD.reply;
    reply(response, request);
  },
};
const READABLE = { status: 500, says: /image cannot be read/ };

const poisonAt = (letters: readonly string[]): FaultCase => ({
  name: `poison/${letters.length}-hosts`,
  group: 'short',
  tiers: [letters],
  trouble: 'one certain request is 500 on every host, five times; others are well',
  bound: '500 with the words of the host, 3 attempts at most; all others 200 at once',
  async run(stage) {
    await stage.warm(letters.length);
    for (const host of stage.hosts) await stage.begin(POISON, host);
    for (let index = 0; index < 5; index += 1) {
      await stage.call({ says: 'poison' }, { ...READABLE, withinMs: PROMPT_MS, attempts: 3 });
      await stage.calls(4, {}, { withinMs: PROMPT_MS, attempts: 2 });
    }
    await stage.untilBack({ withinMs: 1_000, others: true });
  },
});

/** Three hosts that fail alike are enough: the next tier is never asked, neither for the poison nor for others after it. */
const poisonAboveTier: FaultCase = {
  name: 'poison/3-hosts-and-a-tier',
  group: 'short',
  tiers: [['a', 'b', 'c'], ['d']],
  trouble: 'eight requests in a row are 500 on every host; others are well',
  bound: '500 with the words of the host, 3 attempts at most; all others 200, and d is never asked',
  async run(stage) {
    await stage.warm(3);
    for (const host of stage.hosts) await stage.begin(POISON, host);
    for (let index = 0; index < 8; index += 1)
      await stage.call({ says: 'poison' }, { ...READABLE, withinMs: PROMPT_MS, attempts: 3 });
    await stage.calls(6, {}, { withinMs: PROMPT_MS, attempts: 1 });
    if (stage.host(3).seen.length > 0) stage.misses.push('d was asked: the hosts above it were blamed');
    await stage.untilBack({ withinMs: 2_000, others: true });
  },
};

const MANY = 10_000;
const LANES = 24;
/** What a process may grow by while it meets the last four fifths of them. */
const MOST_GROWTH_MB = 96;

const manyPoisonous: FaultCase = {
  name: 'default/poison-10000',
  group: 'default',
  isHeavy: true,
  tiers: [['a', 'b']],
  trouble: '10,000 different requests that are 500 on every host; others are well',
  bound: `others 200; at most ${MOST_GROWTH_MB} MB more after all than after a fifth; back in 30 s`,
  async run(stage) {
    await stage.warm(8);
    for (const host of stage.hosts) await stage.begin(POISON, host);
    await poison(stage, MANY / 5);
    const before = residentMb(stage.pid);
    await poison(stage, (MANY / 5) * 4);
    const grown = residentMb(stage.pid) - before;
    if (grown > MOST_GROWTH_MB) stage.misses.push(`${Math.round(grown)} MB more`);
    await stage.untilBack({ withinMs: 30_000, others: true });
  },
};

async function poison(stage: Stage, count: number): Promise<void> {
  let left = count;
  const lane = async () => {
    for (; left > 0; left -= 1) {
      const isHealthy = left % 100 === 0;
      const seen = await stage.call(isHealthy ? {} : { says: 'poison' });
      if (isHealthy && !isGood(seen))
        stage.misses.push(`${seen.caller}: a healthy call beside: ${seen.status} ${seen.text}`);
      if (!isHealthy && seen.status !== 500) stage.misses.push(`${seen.caller}: ${seen.status} ${seen.text}`);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

/** Of Linux; elsewhere nothing is known. */
function residentMb(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) / 1_024;
}

const impatient = (
  group: 'short' | 'default',
  layout: string,
  tiers: readonly (readonly string[])[],
): FaultCase => ({
  name: `${group === 'default' ? 'default/' : ''}frozen/${layout}`,
  group,
  tiers,
  trouble: 'a never answers; 40 callers leave after 600 ms',
  bound: tiers.flat().length > 1 ? 'at most 10 of them meet a; back in 30 s' : 'back in 10 s',
  async run(stage) {
    await stage.warm(12);
    await stage.begin({ name: 'silence', reply: silence });
    await stage.calls(40, { patienceMs: 600 });
    const met = stage.primary.seen.filter(({ did }) => did === 'silence').length;
    if (stage.hosts.length > 1 && met > 10) stage.misses.push(`${met} callers met the frozen host`);
    await stage.untilBack({
      withinMs: stage.hosts.length > 1 ? 30_000 : 10_000,
      others: stage.hosts.length > 1,
    });
  },
});

const slowResponse = (layout: string, tiers: readonly (readonly string[])[]): FaultCase => ({
  name: `answer-too-slow/${layout}`,
  group: 'short',
  tiers,
  trouble: 'an answer that is not streamed takes longer than `answerTimeoutMs` at every host',
  bound: '504, one attempt: the work is not done twice',
  async run(stage) {
    await stage.warm(2);
    for (const host of stage.hosts) await stage.begin({ name: 'silence', reply: silence }, host);
    const expected = { status: 504, says: /host_timeout/, withinMs: 9_000, attempts: 1 };
    await stage.call({ isStream: false }, expected);
    for (const host of stage.hosts) await host.behave(GOOD);
    await stage.untilBack({ withinMs: 1_500, others: true });
  },
});

const cutLater = (layout: string, tiers: readonly (readonly string[])[]): FaultCase => ({
  name: `cut-in-content/${layout}`,
  group: 'short',
  tiers,
  trouble: 'a cuts streams behind their first content',
  bound: 'whole or visibly broken, never a clean end without `[DONE]`',
  async run(stage) {
    await stage.warm(2);
    await stage.begin({ name: 'cut', reply: cutInContent });
    await stage.calls(6, { isStream: true });
    for (const { caller, end, text } of stage.seen) {
      const isMarked = text.includes('[DONE]') || text.includes('"error"');
      if (end === 'hung' || (end === 'clean' && !isMarked))
        stage.misses.push(`${caller}: ${end} ${text.slice(-80)}`);
    }
    await stage.untilBack({
      withinMs: tiers.flat().length > 1 ? 30_000 : 10_000,
      others: tiers.flat().length > 1,
    });
  },
});

/** What is in the request or in its caller: poison, impatience, slow work, a cut behind the first content. */
export const requests: readonly FaultCase[] = [
  poisonAt(['a', 'b']),
  poisonAt(['a', 'b', 'c']),
  poisonAboveTier,
  manyPoisonous,
  impatient('short', 'alone', [['a']]),
  impatient('short', 'equal', [['a', 'b']]),
  impatient('default', 'equal', [['a', 'b']]),
  slowResponse('alone', [['a']]),
  slowResponse('equal', [['a', 'b', 'c']]),
  cutLater('alone', [['a']]),
  cutLater('equal', [['a', 'b']]),
];
