import type { Logger } from '@morgan/foundation';
import type { LlmServiceConfig } from './llm-service.config.ts';

/** A limit of hosts, and the one of the whole call that always comes first. Settings by their paths. */
interface UnreachedLimit {
  readonly limit: string;
  readonly endsBefore: string;
}

/** A limit and the setting that it comes from. */
interface Limit {
  readonly path: string;
  readonly ms: number;
}

type Settings = Pick<LlmServiceConfig['llmService'], 'upstream' | 'timeouts'>;
type Route = Settings['upstream']['routes'][number];

/**
 * Limits of hosts that end no call, of all routes together and of each that has its own: the whole call has ended before. Its
 * end is nobody's fault, so that a host which hangs is not left for another one, and not found to hang.
 */
export function unreachedLimits(settings: Settings): UnreachedLimit[] {
  const { routes } = settings.upstream;
  const pairs = [pairsOf(settings), ...routes.map((route, at) => pairsOf(settings, route, at))].flat();
  const unreached = pairs
    .filter(([limit, whole]) => limit.ms >= whole.ms)
    .map(([limit, whole]) => ({ limit: limit.path, endsBefore: whole.path }));
  // What a route does not say itself is told of all of them already.
  const names = unreached.map(({ limit, endsBefore }) => `${limit} ${endsBefore}`);
  return unreached.filter((_, at) => names.indexOf(names[at] as string) === at);
}

/** Says so in the log: at the start, and when routes and limits have changed. */
export function warnOfUnreachedLimits(settings: Settings, logger: Logger): void {
  for (const { limit, endsBefore } of unreachedLimits(settings))
    logger.warn({ limit, endsBefore }, 'a limit is never reached: hosts that hang would not be found');
}

function pairsOf({ upstream, timeouts }: Settings, route?: Route, at?: number): [Limit, Limit][] {
  const own = (key: keyof Route): Limit[] =>
    typeof route?.[key] === 'number'
      ? [{ path: `llmService.upstream.routes.${at}.${key}`, ms: route[key] }]
      : [];
  const ofAll = (key: string, ms: number | undefined): Limit[] =>
    ms === undefined ? [] : [{ path: `llmService.upstream.${key}`, ms }];
  const whole = (key: 'chatMs' | 'chatStreamMs'): Limit =>
    [{ path: `llmService.timeouts.${key}`, ms: timeouts[key] }, ...own('totalTimeoutMs')].reduce(
      (one, other) => (other.ms < one.ms ? other : one),
    );
  const firstByte = [
    ...own('firstByteTimeoutMs'),
    ...ofAll('firstByteTimeoutMs', upstream.firstByteTimeoutMs),
  ];
  const answer = [
    ...own('answerTimeoutMs'),
    ...ofAll('answerTimeoutMs', upstream.answerTimeoutMs),
    ...firstByte,
  ];
  const stall = [
    ...own('stallTimeoutMs'),
    ...ofAll('streams.stallTimeoutMs', upstream.streams.stallTimeoutMs),
  ];
  return [
    [firstByte[0] as Limit, whole('chatStreamMs')],
    [answer[0] as Limit, whole('chatMs')],
    [stall[0] as Limit, whole('chatStreamMs')],
  ];
}
