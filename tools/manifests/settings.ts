import { ALLOCATOR_ENV } from '../start/allocator-env.ts';

/** Environment name -> default as JSON text; undefined where there is none. */
export type Settings = ReadonlyMap<string, string | undefined>;

/** Names that the C library, Node.js, the configuration loader and NVIDIA's container runtime read besides the settings of a service. */
const PLATFORM_NAMES = [
  ...Object.keys(ALLOCATOR_ENV),
  'MORGAN_CONFIG',
  'NODE_ENV',
  'NODE_OPTIONS',
  'NVIDIA_DRIVER_CAPABILITIES',
];

/**
 * Reads what one service understands from docs/configuration.md. Tools may not import an app, and a test of the apps
 * holds that table equal to their schemas.
 */
export function readSettings(manual: string, service: string): Settings {
  const [, table = ''] = manual.split(new RegExp(`<!-- ${service}:(?:begin|end) -->`));
  const rows = [...table.matchAll(/^\| `[^`]+` \| `([A-Z][A-Z0-9_]*)` \| (?:`([^`]*)`|[^|]*) \|/gm)];
  return new Map(rows.map(([, name = '', fallback]) => [name, fallback]));
}

/** Whether a container of this service may be given this environment name. */
export function isKnownName(settings: Settings, name: string): boolean {
  return settings.has(name) || PLATFORM_NAMES.includes(name);
}
