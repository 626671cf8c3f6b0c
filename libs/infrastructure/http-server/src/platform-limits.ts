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

/** The other half is for what a call opens besides, such as a connection to a host, and for the process itself. */
const CONNECTIONS_SHARE = 0.5;

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
  const within = Math.floor(openFiles * CONNECTIONS_SHARE);
  if (maxConnections > within)
    logger.warn(
      { maxConnections, openFiles, within },
      'MAX_CONNECTIONS is more than half of the files that may be open: so many are accepted at most',
    );
}

/**
 * The connections that are accepted at a time. Above the limit of files the system would close new ones before Node hears
 * of them: none would be counted, and no idle one would make room for a probe.
 */
export function connectionsWithin(
  maxConnections: number,
  { openFiles = Infinity }: Pick<PlatformLimits, 'openFiles'> = platformLimits(),
): number {
  return Math.max(1, Math.min(maxConnections, Math.floor(openFiles * CONNECTIONS_SHARE)));
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
