import { isDeepStrictEqual } from 'node:util';
import { CONNECTION_SETTINGS } from '@morgan/distributed-llm';
import { listSettings } from '@morgan/foundation';
import { type LlmServiceConfig, llmServiceConfig } from '../config/llm-service.config.ts';

const UPSTREAM = 'llmService.upstream';
const FIXED = CONNECTION_SETTINGS.map((key) => `${UPSTREAM}.${key}`);

/** The paths of the settings in which two configurations differ; never a value. */
export interface ChangedSettings {
  readonly applicable: readonly string[];
  /** What this process cannot change while it runs: ports, keys, limits of bodies, logs. */
  readonly needRestart: readonly string[];
}

/** Compares two configurations, setting by setting. */
export function changedSettings(before: LlmServiceConfig, after: LlmServiceConfig): ChangedSettings {
  const changed = listSettings(llmServiceConfig)
    .map(({ path }) => path)
    .filter((path) => !isDeepStrictEqual(valueAt(before, path), valueAt(after, path)));
  return {
    applicable: changed.filter(isApplicable),
    needRestart: changed.filter((path) => !isApplicable(path)),
  };
}

function isApplicable(path: string): boolean {
  return path.startsWith(`${UPSTREAM}.`) && !FIXED.some((fixed) => `${path}.`.startsWith(`${fixed}.`));
}

function valueAt(config: object, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], config);
}
