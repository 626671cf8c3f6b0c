export { RedisConnection, type RedisConnectionOptions } from './redis-connection.ts';
export { redisConfig, type RedisConfig } from './redis.config.ts';
