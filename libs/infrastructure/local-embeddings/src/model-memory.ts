import { totalmem } from 'node:os';
import { constrainedMemory } from 'node:process';
import { residentBytes } from '@morgan/foundation';
import { BatchMemory } from './batch-memory.ts';
import { batchBytes, type BatchCost } from './processes/batch-cost.ts';

const MEBIBYTE = 1024 * 1024;
/** Share of the ceiling that is planned for: bodies, responses and the growth of heaps need the rest. */
const PLANNED_SHARE = 0.85;
/** A model that has no room for texts of this length, or of its own limit, is of no use. */
const SHORTEST_LIMIT_TOKENS = 128;
/** What a process holds besides the weights: Node itself, the runtime, a vocabulary. */
const PROCESS_BYTES = 70 * MEBIBYTE;
/** A loaded graph takes its file and some more. */
const LOADED_WEIGHTS = 1.3;

/** The memory that the service may take, in bytes: as configured, or the limit of its container, or of the machine. */
export function memoryCeiling(configuredMb: number | undefined): number {
  if (configuredMb !== undefined) return configuredMb * MEBIBYTE;
  const limit = constrainedMemory();
  return limit > 0 && limit < totalmem() ? limit : totalmem();
}

/** There is no room for a model beside those that are loaded; there may be once one of them is unloaded. */
export class NoRoomError extends Error {
  override readonly name = 'NoRoomError';
}

/** What the processes of a model hold while they are idle, in bytes, and what its batches cost. */
interface MemoryShare {
  readonly tokenizerBytes: number;
  /** Each of them. */
  readonly inferenceBytes: number;
  readonly processes: number;
  readonly cost: BatchCost;
  /** Tokens that a text of it may have. */
  readonly maxTokens: number;
}

/** The memory of one service, and which models take part of it. What they leave is shared by all batches at a time. */
export class ModelMemory {
  readonly #shares = new Map<object, MemoryShare>();
  readonly #ceilingBytes: number;
  /** What the models leave, and which batches hold it now. */
  readonly batches = new BatchMemory(() => ({ freeBytes: this.#freeBytes, shareBytes: this.#shareBytes }));
  /** Of this process, when a model last came or went. */
  #serviceBytes = 0;

  /** @param limitMb what the whole service may take, in MiB. Default: the limit of its container, or of the machine */
  constructor(limitMb?: number) {
    this.#ceilingBytes = memoryCeiling(limitMb);
    this.#measureService();
  }

  /** Inference processes of a model for which there is room: each needs its weights, and as much again for batches. */
  processesFor({
    tokenizerBytes,
    inferenceBytes,
  }: Pick<MemoryShare, 'tokenizerBytes' | 'inferenceBytes'>): number {
    return Math.max(1, Math.floor((this.#freeBytes - tokenizerBytes) / (inferenceBytes * 2)));
  }

  /** Says before anything is started whether a model can fit, by the size of its files. @throws NoRoomError */
  expect(weightsBytes: number): void {
    const needed = weightsBytes * LOADED_WEIGHTS + 2 * PROCESS_BYTES;
    this.#measureService();
    if (this.#shares.size > 0 && needed > this.#freeBytes) throw this.#noRoom();
  }

  /** Takes a loaded model in. @throws NoRoomError where it, or one that was there before, has no room for a batch then */
  join(model: object, share: MemoryShare): void {
    this.#measureService();
    this.#shares.set(model, share);
    const least = Math.max(...[...this.#shares.values()].map(leastBatch));
    if (least <= this.#shareBytes) return;
    this.#shares.delete(model);
    throw this.#noRoom(share.processes);
  }

  leave(model: object): void {
    this.#shares.delete(model);
    this.#measureService();
  }

  get #shareBytes(): number {
    const processes = sum(this.#shares, (share) => share.processes);
    return this.#freeBytes / Math.max(processes, 1);
  }

  #measureService(): void {
    this.#serviceBytes = residentBytes() ?? this.#serviceBytes;
  }

  get #freeBytes(): number {
    const held = sum(
      this.#shares,
      ({ tokenizerBytes, inferenceBytes, processes }) => tokenizerBytes + inferenceBytes * processes,
    );
    return this.#ceilingBytes * PLANNED_SHARE - this.#serviceBytes - held;
  }

  /** @param processes of the model that has none; where there are several, fewer of them may have. */
  #noRoom(processes = 1): NoRoomError {
    const ceiling = `${Math.floor(this.#ceilingBytes / MEBIBYTE)} MiB of memory`;
    const higher = 'EMBEDDING_MEMORY_LIMIT_MB, or the limit of the container, must be higher';
    if (processes === 1) return new NoRoomError(`${ceiling} leave no room for a batch; ${higher}`);
    return new NoRoomError(
      `${ceiling} leave no room for a batch beside ${processes} processes; EMBEDDING_WORKERS must be lower, or ${higher}`,
    );
  }
}

function leastBatch({ cost, maxTokens }: MemoryShare): number {
  return batchBytes(cost, 1, Math.min(maxTokens, SHORTEST_LIMIT_TOKENS));
}

function sum(shares: ReadonlyMap<object, MemoryShare>, of: (share: MemoryShare) => number): number {
  let total = 0;
  for (const share of shares.values()) total += of(share);
  return total;
}
