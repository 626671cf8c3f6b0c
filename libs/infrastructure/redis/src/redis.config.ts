import { MAX_TIMER_MS, milliseconds, setting } from '@morgan/foundation';
import { z } from 'zod';

/** `redis:6379` is a URL too, of no host: without a word it would be the one on this machine. */
const redisUrl = z
  .string()
  .refine(
    (text) => /^rediss?:\/\/\S+$/i.test(text) && Boolean(URL.parse(text)?.hostname),
    'must be a URL with a host, such as redis://redis:6379, or rediss:// for TLS',
  )
  .refine(
    (text) => isDatabase(URL.parse(text)),
    'must end in the number of a database, such as /2, or in none',
  )
  .refine((text) => !text.includes('#'), 'has a # in it: write %23 where it is part of a password')
  .refine(
    (text) => !text.includes('?'),
    'has a ? in it: write %3F where it is part of a password; there are no options',
  )
  .refine(
    (text) => isDecodable(text),
    'has a % that begins no escape: write %25 where it is part of a password',
  );

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** Anything else would be the database 0, which others may use. */
function isDatabase(url: URL | null): boolean {
  return url === null || /^\/?\d*$/.test(url.pathname);
}

/** The connection is given up after a few times this, which is a timer too. */
const LONGEST_COMMAND_MS = Math.floor(MAX_TIMER_MS / 10);

/** What all keys of an installation begin with. */
export const redisNamespace = z
  .string()
  .regex(/^([\w-]{1,64}|\{[\w-]{1,62}\})$/, 'letters, digits, _ and -, 64 at most, all of it in {} or none');

/** The `redis` section of the configuration. */
export const redisConfig = z
  .strictObject({
    url: setting(redisUrl.optional(), {
      env: 'REDIS_URL',
      doc: 'Redis that the replicas share, such as `redis://redis:6379`. Without it each process is on its own.',
      secret: true,
    }),
    namespace: setting(redisNamespace.default('morgan'), {
      env: 'REDIS_NAMESPACE',
      doc: 'Prefix of all keys: installations that share a Redis but neither limits nor vectors take different ones. In braces, such as `{morgan}`, all keys have one slot, as a Redis Cluster of one shard asks for.',
      needs: 'redis.url',
    }),
    commandTimeoutMs: setting(z.int().min(1).max(LONGEST_COMMAND_MS).default(100), {
      env: 'REDIS_COMMAND_TIMEOUT_MS',
      doc: 'How long a command may take before Redis counts as gone for that request, in milliseconds.',
      needs: 'redis.url',
    }),
  })
  .prefault({});

/** What a `RedisConnection` is made of. */
export const redisConnectionConfig = redisConfig.unwrap().required({ url: true });

/** What a `RedisGuard` decides by. */
export const redisGuardConfig = z.strictObject({
  timeoutMs: setting(milliseconds.default(100), {
    doc: 'A use that takes longer fails, in milliseconds.',
  }),
  errorThresholdPercentage: setting(z.number().gt(0).max(100).default(50), {
    doc: 'Opens when this share of the uses of the last 10 s failed, in percent.',
  }),
  minimumUses: setting(z.int().min(1).default(5), { doc: 'Fewer uses than this never open it.' }),
  resetTimeoutMs: setting(milliseconds.default(1_000), {
    doc: 'How long Redis is not asked while it is open, in milliseconds; then one use tries.',
  }),
});
