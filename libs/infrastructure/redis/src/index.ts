export { RedisConnection, type RedisConnectionOptions } from './redis-connection.ts';
export { RedisScript } from './redis-script.ts';
export { redisConfig, type RedisConfig } from './redis.config.ts';
