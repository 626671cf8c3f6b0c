export { nameFault } from './name-fault.ts';
export { RedisConnection, type RedisConnectionOptions } from './redis-connection.ts';
export { RedisGuard, type RedisGuardOptions, type RedisGuardStatus } from './redis-guard.ts';
export { RedisScript } from './redis-script.ts';
export { redisConfig, redisNamespace } from './redis.config.ts';
