import { constrainedMemory } from 'node:process';
import type { Logger } from '@morgan/foundation';
import type { BodyConfig } from './body.config.ts';

/**
 * Says that bodies may take more memory than there is: the container would be ended before the first one is refused.
 * @param limitBytes the memory of the container; 0 or more than can be where it has no limit.
 */
export function warnOfMemory(
  { maxBytes }: Pick<BodyConfig, 'maxBytes'>,
  logger: Logger,
  limitBytes = constrainedMemory(),
): void {
  if (limitBytes > 0 && maxBytes > limitBytes)
    logger.warn({ maxBytes, limitBytes }, 'MAX_BODY_BYTES is more than the memory of the container');
}
