export { nameFault } from './name-fault.ts';
export { RedisConnection } from './redis-connection.ts';
export { RedisGuard } from './redis-guard.ts';
export { RedisScript } from './redis-script.ts';
export { redisConfig, redisNamespace } from './redis.config.ts';
