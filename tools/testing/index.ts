export { type Certificate, CertificateAuthority } from './certificates.ts';
export { docRegion } from './doc-region.ts';
export { freePort } from './free-port.ts';
export { redisCommand } from './redis-command.ts';
export { type PrivateRedis, redisUrl, startRedis } from './redis.ts';
export { type LogLine, type RunningService, type ServiceOptions, startService } from './service.ts';
export { waitFor } from './wait-for.ts';
export { RUN_SOURCES, runSourceProgram } from './source-program.ts';
export {
  ADDED_ROUTE,
  collectRoutes,
  pathOf,
  spellingsOf,
  statusesOf,
  type WalkedRoute,
} from './route-walk.ts';
