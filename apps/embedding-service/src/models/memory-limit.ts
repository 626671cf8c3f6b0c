import type { Logger } from '@morgan/foundation';
import { memoryCeiling } from '@morgan/local-embeddings';

const MEBIBYTE = 1024 * 1024;

/**
 * The memory that batches are planned with, in MiB; none: what there is. More than the container has cannot be had: a batch
 * that was planned with it would have the whole pod ended.
 * @param thereMb what the container has, or the machine.
 */
export function memoryLimit(
  configuredMb: number | undefined,
  logger: Logger,
  thereMb = Math.floor(memoryCeiling(undefined) / MEBIBYTE),
): number | undefined {
  if (configuredMb === undefined || configuredMb <= thereMb) return configuredMb;
  logger.warn(
    { configuredMb, thereMb },
    'EMBEDDING_MEMORY_LIMIT_MB is more than there is, which counts instead',
  );
  return undefined;
}
