import { totalmem } from 'node:os';
import { constrainedMemory } from 'node:process';

/** Share of the ceiling that is planned for: bodies, answers and the growth of heaps need the rest. */
const PLANNED_SHARE = 0.85;

/** The memory that the service may take, in bytes: as configured, or the limit of its container, or of the machine. */
export function memoryCeiling(configuredMb: number | undefined): number {
  if (configuredMb !== undefined) return configuredMb * 1024 * 1024;
  const limit = constrainedMemory();
  return limit > 0 && limit < totalmem() ? limit : totalmem();
}

/** What the processes of the service held when they were loaded, in bytes. */
export interface HeldMemory {
  /** Everything but the inference processes. */
  readonly fixedBytes: number;
  /** Each inference process. */
  readonly inferenceBytes: number;
}

/** Inference processes for which there is room: each needs its weights, and as much again for its batches. */
export function processesWithin(ceilingBytes: number, { fixedBytes, inferenceBytes }: HeldMemory): number {
  return Math.max(1, Math.floor((ceilingBytes * PLANNED_SHARE - fixedBytes) / (inferenceBytes * 2)));
}

/** What one batch may take on top of what is loaded, in bytes, when all processes are at work at the same time. */
export function batchBudget(
  ceilingBytes: number,
  { fixedBytes, inferenceBytes }: HeldMemory,
  processes: number,
): number {
  return (ceilingBytes * PLANNED_SHARE - fixedBytes) / processes - inferenceBytes;
}
