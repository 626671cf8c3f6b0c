import { readFileSync } from 'node:fs';
import { constrainedMemory } from 'node:process';
import type { Logger } from '@morgan/foundation';
import type { HttpConfig } from './http-server.config.ts';

/** What the container or the machine sets a process. */
export interface PlatformLimits {
  /** Bytes; 0, or more than can be, where there is no limit. */
  readonly memoryBytes: number;
  /** Files and sockets that may be open at a time. None: nobody says. */
  readonly openFiles: number | undefined;
}

/**
 * Says which limits of the configuration are above what the platform gives: the container would be ended before the first
 * body is refused, and connections beyond its files fail without a word.
 */
export function warnOfPlatform(
  { bodies: { maxBytes }, maxConnections }: Pick<HttpConfig, 'bodies' | 'maxConnections'>,
  logger: Logger,
  { memoryBytes, openFiles = Infinity }: PlatformLimits = platformLimits(),
): void {
  if (memoryBytes > 0 && maxBytes > memoryBytes)
    logger.warn({ maxBytes, memoryBytes }, 'MAX_BODY_BYTES is more than the memory of the container');
  if (maxConnections > openFiles)
    logger.warn({ maxConnections, openFiles }, 'MAX_CONNECTIONS is more than the files that may be open');
}

function platformLimits(): PlatformLimits {
  return { memoryBytes: constrainedMemory(), openFiles: openFiles() };
}

/** Node itself raises the soft limit to the hard one. */
function openFiles(): number | undefined {
  try {
    const limit = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return limit === undefined ? undefined : Number(limit);
  } catch {
    return undefined;
  }
}
