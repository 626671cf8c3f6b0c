import { relativeDistance } from './batch-independence.ts';
import type { AttentionBlocks } from '../embedding-model.types.ts';
import { type GraphRunner, padBatch } from './graph-runner.ts';
import type { TriedRun } from './limit-measurement.ts';
import { readGraphInBlocks } from '../onnx-file/blocked-graph.reader.ts';
import { OnnxGraph, type OnnxGraphOptions } from './onnx-graph.ts';

/**
 * Rows of attention that are computed at once. Their scores take 4 bytes for each head and token of the text, twice: of
 * 12 heads and 8,192 tokens 200 MB in place of 6.4 GB. They are also more likely to be in the caches still when they are needed.
 */
const BLOCK_ROWS = 256;
/** The memory of texts up to here is that of a usual batch: their attention need not be run in blocks. */
const LONGEST_WHOLE = 512;
/** Tokens of the text that is tried: a block and a part of one. */
const TRIED_TOKENS = BLOCK_ROWS * 1.25;
/** Of the squared length: what rounding to 16 bits makes of another order. Wrong rows or masks are far above it. */
const TOLERANCE = 1e-6;

/** A graph that may be run in blocks, and how it is tried. */
export interface BlocksRequest {
  readonly path: string;
  readonly settings: OnnxGraphOptions;
  /** Tokens of the longest text that the files allow. */
  readonly longest: number;
  /** Ids of a text that the graph knows, and the one for padding. */
  readonly sample: readonly number[];
  readonly padId: number;
}

/** The graph that is used of the two. */
export interface GraphOfBlocks {
  readonly runner: GraphRunner;
  /** How its attention is run in blocks, where it is, and what that took. */
  readonly blocks?: (AttentionBlocks & TriedRun) | undefined;
  /** What is not as it could be, one sentence each. */
  readonly notes: readonly string[];
}

/**
 * Attention makes the memory of a text grow with the square of its length, unless it is run in blocks of rows. A graph for long
 * texts is changed so, where its attention is found, and the changed one is used if it gives what the other does. There is never
 * more than one of the two, as each holds the weights. The changed one has the runtime's arena: its blocks are of other sizes with every
 * text, and in the heap of the C library they leave gaps that fit nothing, several times what they take themselves.
 * @param whole the graph as it is; closed where another one is given back
 */
export async function inBlocksIfSame(
  whole: OnnxGraph,
  { path, settings, longest, sample, padId }: BlocksRequest,
): Promise<GraphOfBlocks> {
  if (longest <= LONGEST_WHOLE || whole.length !== undefined) return { runner: whole, notes: [] };
  const inBlocks = await readGraphInBlocks(path, BLOCK_ROWS);
  if (!inBlocks) return { runner: whole, notes: [] };
  const ids = Array.from({ length: TRIED_TOKENS }, (_, index) => sample[index % sample.length] ?? padId);
  const batch = padBatch([{ ids }], padId, 'right');
  const wanted = await whole.run(batch).catch(() => undefined);
  // Files may state a limit that the graph does not bear: that is found out elsewhere.
  if (!wanted) return { runner: whole, notes: [] };
  await whole.close();
  let reason = 'it gives other numbers then';
  let runner: OnnxGraph | undefined;
  try {
    const mapped = [path, ...(settings.mapped ?? [])];
    runner = await OnnxGraph.open(path, { ...settings, memoryArena: true, inMemory: inBlocks, mapped });
    const begunAt = performance.now();
    const got = await runner.runFor(batch, [...wanted.keys(), ...inBlocks.shapes]);
    const tried = { tokens: TRIED_TOKENS, ms: performance.now() - begunAt };
    const valuesOf = (name: string) => got.get(name)?.data ?? new Float32Array();
    if ([...wanted].every(([name, { data }]) => relativeDistance(data, valuesOf(name)) <= TOLERANCE)) {
      const shapes = inBlocks.shapes.map((name) => Array.from(valuesOf(name)));
      const valuesPerPair = shapes.reduce((sum, shape) => sum + perPair(shape, TRIED_TOKENS), 0);
      return { runner, blocks: { rows: BLOCK_ROWS, valuesPerPair, ...tried }, notes: [] };
    }
  } catch (error) {
    reason = (error as Error).message;
  }
  await runner?.close();
  const notes = [`long texts take more memory than they need, as attention is not run in blocks: ${reason}`];
  return { runner: await OnnxGraph.open(path, settings), notes };
}

/** Values for each pair of tokens in a tensor of this shape; 0 where it has not a row and a column for every token. */
function perPair(shape: readonly number[], tokens: number): number {
  if (shape.at(-1) !== tokens || shape.at(-2) !== tokens) return 0;
  return shape.slice(0, -2).reduce((product, size) => product * size, 1);
}
