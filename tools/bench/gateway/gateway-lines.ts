import { setTimeout as delay } from 'node:timers/promises';
import { atMost, type BenchRow, byTurns, compare, median } from '../bench-row.ts';
import { residentBytes } from '../resident-memory.ts';
import { type Gateway, startBare, startHost, startLeast, startMorgan } from './gateways.ts';
import { jsonAloneMs, jsonPerSecond } from './json-load.ts';
import { startPortkey } from './portkey.ts';
import { type StreamLoad, streamsOf } from './stream-load.ts';
import type { Target } from './wire-connection.ts';

const ROUNDS = 5;
const ROUND_MS = 3_000;
const BARE = 'bare node:http + undici passthrough';
const PORTKEY = 'Portkey 1.15.2';
/** Behind the name of a line: how far these parts alone get, without anything that llm-service does. No claim of ours. */
const LEAST = 'Fastify, pino and undici alone';

const STREAMS = '64 streams of 50 events/s';
const PACED: StreamLoad = { callers: 64, streamsEach: 3, events: 40, eventsPerSecond: 50, beginMs: 800 };
/** Streams that flow, as those of {@link MANY}: how soon they begin has a line of its own. */
const FLOWING: StreamLoad = { ...PACED, streamsEach: 1, events: 400 };
/** Short answers, each asked for right behind the one before: what delays their events are the beginnings and ends of others. */
const SHORT: StreamLoad = { ...PACED, streamsEach: 9 };
/** One in a hundred events is late by a tenth of a millisecond, and so is every round. */
const PACED_ROUNDS = 9;
const PACED_WARM_UPS = 3;
/** What a gateway adds to the time of a host that needs none is nearly all that there is to be seen. */
const PROMPT: StreamLoad = { ...PACED, isFirstAtOnce: true };
/** Streams after which the code of a stream is compiled, as that of JSON is after its first round; that of paced ones has too few. */
const WARM_UP: StreamLoad = { callers: 64, streamsEach: 100, events: 4, eventsPerSecond: 0, beginMs: 0 };
const SATURATED: StreamLoad = { callers: 64, streamsEach: 1, events: 4_096, eventsPerSecond: 0, beginMs: 0 };
const MANY: StreamLoad = { callers: 1_000, streamsEach: 1, events: 120, eventsPerSecond: 20, beginMs: 1_000 };

/** A delay that nobody sees in a text as it appears. */
const STALL_MS = 100;
const MOST_KB_PER_STREAM = 60;
const SAMPLE_MS = 500;
/** Less than the quiet second after which a service collects what its start has left: streams would be charged for what it takes anew. */
const REST_MS = 500;

/** Those that calls are sent to by turns. */
interface Field {
  readonly host: Target;
  readonly bare: Target;
  readonly least: Target;
  readonly morgan: Target;
  readonly portkey: Target;
}

/** llm-service against the bare passthrough and Portkey's gateway, in front of the same host: load, host and gateway in a process each. */
export async function gatewayLines(): Promise<BenchRow[]> {
  using host = await startHost();
  const rows: BenchRow[] = [];
  {
    using bare = await startBare(host);
    using least = await startLeast(host);
    using morgan = await startMorgan(host);
    using portkey = await startPortkey(host.origin);
    const field = { host, bare, least, morgan, portkey };
    for (const line of [jsonAtOnce, jsonAlone, promptStreams, pacedStreams, saturatedStreams])
      rows.push(...(await line(field)));
  }
  return [...rows, ...(await manyStreams(host))];
}

async function jsonAtOnce({ bare, least, morgan, portkey }: Field): Promise<BenchRow[]> {
  const rate = (target: Target) => () => jsonPerSecond(target, 32, ROUND_MS);
  const rounds = await byTurns(ROUNDS, {
    own: rate(morgan),
    bare: rate(bare),
    least: rate(least),
    portkey: rate(portkey),
  });
  const claim = { name: 'JSON, 32 at once', unit: 'requests/s', better: 'more' } as const;
  return [
    compare(
      { ...claim, target: 0.65, baseline: BARE },
      rounds.map((round) => [round.own, round.bare]),
    ),
    compare(
      { ...claim, target: 5, baseline: PORTKEY },
      rounds.map((round) => [round.own, round.portkey]),
    ),
    compare(
      { ...claim, name: `${claim.name}: ${LEAST}`, baseline: BARE },
      rounds.map((round) => [round.least, round.bare]),
    ),
  ];
}

/** What a gateway adds is its time less that of the host alone, of the same round. */
async function jsonAlone({ host, bare, least, morgan }: Field): Promise<BenchRow[]> {
  const time = (target: Target) => () => jsonAloneMs(target, ROUND_MS / 2);
  const rounds = await byTurns(ROUNDS, {
    direct: time(host),
    own: time(morgan),
    bare: time(bare),
    least: time(least),
  });
  const name = 'JSON, one at a time: added median';
  const claim = { unit: 'ms', better: 'less', baseline: BARE } as const;
  return [
    compare(
      { ...claim, name, target: 1 / 1.5 },
      rounds.map((round) => [round.own - round.direct, round.bare - round.direct]),
    ),
    compare(
      { ...claim, name: `${name}, ${LEAST}` },
      rounds.map((round) => [round.least - round.direct, round.bare - round.direct]),
    ),
  ];
}

async function promptStreams({ bare, least, morgan, portkey }: Field): Promise<BenchRow[]> {
  for (const target of [bare, least, morgan, portkey]) await streamsOf(target, WARM_UP);
  const run = (target: Target) => () => streamsOf(target, PROMPT);
  const rounds = await byTurns(ROUNDS, {
    own: run(morgan),
    bare: run(bare),
    least: run(least),
    portkey: run(portkey),
  });
  const name = `${STREAMS}: first token of a host that has it at once, median`;
  const claim = { name, unit: 'ms', better: 'less', baseline: BARE } as const;
  const firstOf = (who: 'own' | 'least', against: 'bare' | 'portkey') =>
    rounds.map((round) => [round[who].firstTokenMs, round[against].firstTokenMs] as const);
  return [
    compare({ ...claim, baseline: PORTKEY, target: 1 / 0.3 }, firstOf('own', 'portkey')),
    compare(claim, firstOf('own', 'bare')),
    compare({ ...claim, name: `${name}, ${LEAST}` }, firstOf('least', 'bare')),
  ];
}

/** Events enough for a hundredth of them to be many moments; behind so many others that V8 has next to nothing left to compile. */
async function pacedStreams({ bare, least, morgan }: Field): Promise<BenchRow[]> {
  for (const target of [bare, least, morgan])
    for (let round = 0; round < PACED_WARM_UPS; round += 1) await streamsOf(target, PACED);
  const run = (target: Target, load: StreamLoad) => () => streamsOf(target, load);
  const flowing = await byTurns(PACED_ROUNDS, {
    own: run(morgan, FLOWING),
    bare: run(bare, FLOWING),
    least: run(least, FLOWING),
  });
  const short = await byTurns(ROUNDS, { own: run(morgan, SHORT), bare: run(bare, SHORT) });
  const claim = { unit: 'ms', better: 'less', baseline: BARE } as const;
  const first = `${STREAMS}: first token, median`;
  const late = `${STREAMS}: delay of an event, p99`;
  return [
    compare(
      { ...claim, name: first, target: 1 / 1.3 },
      flowing.map(({ own, bare: theirs }) => [own.firstTokenMs, theirs.firstTokenMs]),
    ),
    compare(
      { ...claim, name: late, target: 1 / 1.3 },
      flowing.map(({ own, bare: theirs }) => [own.delayP99Ms, theirs.delayP99Ms]),
    ),
    compare(
      { ...claim, name: `${late}, ${LEAST}` },
      flowing.map(({ least: parts, bare: theirs }) => [parts.delayP99Ms, theirs.delayP99Ms]),
    ),
    compare(
      { ...claim, name: `${late}, of answers of ${SHORT.events}` },
      short.map(({ own, bare: theirs }) => [own.delayP99Ms, theirs.delayP99Ms]),
    ),
  ];
}

async function saturatedStreams({ bare, morgan }: Field): Promise<BenchRow[]> {
  const rate = (target: Target) => async () => (await streamsOf(target, SATURATED)).eventsPerSecond;
  const rounds = await byTurns(ROUNDS, { own: rate(morgan), bare: rate(bare) });
  return [
    compare(
      { name: '64 saturated streams', unit: 'events/s', target: 0.85, better: 'more', baseline: BARE },
      rounds.map(({ own, bare: theirs }) => [own, theirs]),
    ),
  ];
}

async function manyStreams(host: Target): Promise<BenchRow[]> {
  const rounds = await byTurns(ROUNDS, {
    own: async () => manyThrough(await startMorgan(host)),
    bare: async () => manyThrough(await startBare(host)),
  });
  const name = '1,000 streams of 20 events/s';
  const longest = (figure: 'firstDelayMs' | 'longestDelayMs', what: string, target?: number) =>
    compare(
      {
        name: `${name}: longest delay of an event${what}`,
        unit: 'ms',
        better: 'less',
        baseline: `${BARE}, ${STALL_MS} ms at least`,
        ...(target !== undefined && { target }),
      },
      rounds.map(({ own, bare }) => [own[figure], Math.max(STALL_MS, bare[figure])]),
    );
  return [
    longest('longestDelayMs', '', 1),
    longest('firstDelayMs', ', just after a start'),
    atMost(
      `${name}: memory of a stream`,
      'kB',
      median(rounds.map(({ own }) => own.kbPerStream)),
      MOST_KB_PER_STREAM,
    ),
  ];
}

interface ManyFigures {
  readonly kbPerStream: number;
  /** While most of the code that streams need runs for the first time, and is compiled beside it. */
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
}

/**
 * Through a gateway that has begun anew, as memory that was used once is kept; what the first calls take is not counted.
 * Delays are those of the second time.
 */
async function manyThrough(started: Gateway): Promise<ManyFigures> {
  using gateway = started;
  await streamsOf(gateway, { ...PACED, streamsEach: 1 });
  // Last, as those streams may leave a second quiet enough.
  await jsonPerSecond(gateway, 32, ROUND_MS / 3);
  await delay(REST_MS);
  const before = await residentBytes(gateway.pid);
  let most = before;
  const streams = streamsOf(gateway, MANY);
  const over = streams.then(() => true);
  while (!(await Promise.race([over, delay(SAMPLE_MS, false)])))
    most = Math.max(most, await residentBytes(gateway.pid));
  const { longestDelayMs: firstDelayMs } = await streams;
  await delay(REST_MS);
  const { longestDelayMs } = await streamsOf(gateway, MANY);
  return { longestDelayMs, firstDelayMs, kbPerStream: (most - before) / 1_000 / MANY.callers };
}
