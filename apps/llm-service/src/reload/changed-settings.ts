import { isDeepStrictEqual } from 'node:util';
import { CONNECTION_SETTINGS } from '@morgan/distributed-llm';
import { listSettings } from '@morgan/foundation';
import { type LlmServiceConfig, llmServiceConfig } from '../config/llm-service.config.ts';

/** The keys of callers. */
export const KEYS = 'auth.apiKeys';
const UPSTREAM = 'llmService.upstream';
const FIXED = CONNECTION_SETTINGS.map((key) => `${UPSTREAM}.${key}`);

/** The paths of the settings in which two configurations differ; never a value. */
interface ChangedSettings {
  readonly applicable: readonly string[];
  /** What this process cannot change while it runs: ports, limits of bodies, logs. */
  readonly needRestart: readonly string[];
}

/** Compares two configurations, setting by setting. */
export function changedSettings(before: LlmServiceConfig, after: LlmServiceConfig): ChangedSettings {
  const changed = listSettings(llmServiceConfig)
    .map(({ path }) => path)
    .filter((path) => !isDeepStrictEqual(valueAt(before, path), valueAt(after, path)));
  const isNow = (path: string) => (path === KEYS ? mayReplaceKeys(before, after) : isOfHosts(path));
  return { applicable: changed.filter(isNow), needRestart: changed.filter((path) => !isNow(path)) };
}

/**
 * Whether keys are needed at all is decided at the start, so that no slip in a file lets everybody in; and no key opens the admin
 * API, whose own does not change before a restart.
 */
function mayReplaceKeys(before: LlmServiceConfig, after: LlmServiceConfig): boolean {
  const [{ apiKeys: old }, { apiKeys }] = [before.auth, after.auth];
  const ofOperators = before.llmService.admin.apiKey;
  return (
    old.length > 0 && apiKeys.length > 0 && !(ofOperators !== undefined && apiKeys.includes(ofOperators))
  );
}

/** Of the hosts and the way to them. */
export function isOfHosts(path: string): boolean {
  return path.startsWith(`${UPSTREAM}.`) && !FIXED.some((fixed) => `${path}.`.startsWith(`${fixed}.`));
}

function valueAt(config: object, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], config);
}
