export { ApiKeys } from './api-keys.ts';
export { authConfig } from './security.config.ts';
