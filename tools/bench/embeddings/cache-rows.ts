import { startRedis } from '@morgan/testing';
import { atMost, type BenchRow, byTurns, type Claim, compare, median } from '../bench-row.ts';
import type { Child } from '../child.ts';
import { benchTexts } from './bench-texts.ts';
import { type LoadShape, sendAll } from './embedding-load.ts';
import { startBareCache, startLeastCache, startMorgan } from './embedding-servers.ts';

const ROUNDS = 5;
/** So many that the clock of processor time, which ticks a hundred times a second, tells them apart. */
const MEMORY_REQUESTS = 25_600;
const REDIS_REQUESTS = 6_400;
const LOAD: LoadShape = { clients: 32, textsPerRequest: 1 };
/** Enough that one that is asked for was hardly the one before it. */
const DIFFERENT_TEXTS = 640;
const MOST_REDIS_MS = 1.6;
/** Of the look-ups, what has to come from Redis for the median to be that of Redis: on a busy machine some are given up as too late. */
const LEAST_REDIS_SHARE = 0.9;

/** Texts whose vectors are there already, one a call. */
export async function cacheRows(folder: string): Promise<BenchRow[]> {
  return [...(await fromMemory(folder)), ...(await fromRedis(folder))];
}

async function fromMemory(folder: string): Promise<BenchRow[]> {
  using morgan = await startMorgan(folder);
  const [text = ''] = benchTexts('short', 1, 1);
  using bare = await startBareCache(await responseTo(morgan, text));
  const texts = new Array<string>(MEMORY_REQUESTS).fill(text);
  const rate = (server: Child) => async () => (await sendAll(server, texts, LOAD)).textsPerCpuSecond;
  const rounds = await byTurns(ROUNDS, { own: rate(morgan), bare: rate(bare) });
  return [
    compare(
      {
        name: 'cache hits from memory, one text a call, 32 at once',
        unit: 'requests/CPU-s',
        better: 'more',
        baseline: 'bare Fastify handler, same bytes',
        target: 0.6,
      },
      rounds.map(({ own, bare: theirs }) => [own, theirs]),
    ),
  ];
}

async function fromRedis(folder: string): Promise<BenchRow[]> {
  await using redis = await startRedis();
  using morgan = await startMorgan(folder, { REDIS_URL: redis.url, CACHE_MAX_ENTRIES: '1' });
  const different = benchTexts('short', DIFFERENT_TEXTS, 2);
  await sendAll(morgan, different, LOAD);
  const texts = Array.from({ length: REDIS_REQUESTS / DIFFERENT_TEXTS }, () => different).flat();
  using least = await startLeastCache(redis.url, await vectorBytes(morgan, different[0] ?? ''));
  const medianOf = (server: Child) => async () => median((await sendAll(server, texts, LOAD)).timesMs);
  const before = await redisHits(morgan);
  const rounds = await byTurns(ROUNDS, { own: medianOf(morgan), parts: medianOf(least) });
  const share = ((await redisHits(morgan)) - before) / (texts.length * (ROUNDS + 1));
  if (share < LEAST_REDIS_SHARE) throw new Error(`only ${share} of the vectors came from Redis`);
  const name = 'cache hits from Redis, one text a call, 32 at once, median';
  const claim: Claim = {
    name: `${name}, the parts alone`,
    unit: 'ms',
    better: 'less',
    baseline: 'embedding-service',
  };
  return [
    atMost(name, 'ms', median(rounds.map(({ own }) => own)), MOST_REDIS_MS),
    compare(
      claim,
      rounds.map(({ own, parts }) => [parts, own]),
    ),
  ];
}

async function vectorBytes(server: Child, input: string): Promise<number> {
  const { data } = JSON.parse(await responseTo(server, input)) as { data: [{ embedding: string }] };
  return Buffer.byteLength(data[0].embedding, 'base64');
}

async function responseTo({ origin }: Child, input: string): Promise<string> {
  const response = await fetch(`${origin}/v1/embeddings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'default', input, encoding_format: 'base64' }),
  });
  if (!response.ok) throw new Error(`embedding-service answered ${response.status}`);
  return response.text();
}

async function redisHits({ origin }: Child): Promise<number> {
  const metrics = await (await fetch(`${origin}/metrics`)).text();
  return Number(/^morgan_cache_requests_total\{result="redis"\} (\d+)$/m.exec(metrics)?.[1] ?? 0);
}
