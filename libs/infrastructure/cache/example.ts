import { EmbeddingCache, embeddingKeys } from './src/index.ts';
import { newCall } from '@morgan/foundation';

export async function useCache(say: (line: string) => void): Promise<void> {
  const cache = new EmbeddingCache(); // in memory; { redis, redisGuard, config, metrics } may be given
  const identity = { fingerprint: 'model-1', prompt: '', truncate: true };
  const keys = ['a cat', 'a dog', 'a cat'].map(embeddingKeys(identity));
  const compute = (missing: readonly string[]) => {
    say(`computing ${missing.length}`); // computing 2
    const vector = Float32Array.of(0.6, 0.8);
    return Promise.resolve(missing.map(() => ({ vector, tokenCount: 2, truncated: false })));
  };
  const { entries } = await cache.resolve(keys, compute); // in the order of the keys
  say(`${entries.length} entries`); // 3 entries
  const again = await cache.resolve(keys, compute, { context: newCall() }); // or that of the call it is for
  say([...again.results.values()].join()); // memory,memory
  say(JSON.stringify(cache.getStatus().hitRate)); // 0.5
}
