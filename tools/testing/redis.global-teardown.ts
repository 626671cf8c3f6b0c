export { stopRedis as default } from './redis.global-setup.ts';
