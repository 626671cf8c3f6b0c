export { ApiKeys } from './api-keys.ts';
export { authConfig, type AuthConfig } from './security.config.ts';
