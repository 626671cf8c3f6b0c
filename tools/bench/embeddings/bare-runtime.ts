import { median } from '../bench-row.ts';
import { BareEmbedder } from './bare-embedder.ts';
import { benchTexts, type TextKind } from './bench-texts.ts';

/** What the bare runtime is to do. */
export interface BareTask {
  readonly folder: string;
  readonly kind: TextKind;
  readonly texts: number;
  readonly seed: number;
  /** Texts of one run of the graph. */
  readonly batch: number;
  readonly threads: number;
  /** One text after the other, from the text to its vector, in place of all at once. */
  readonly alone: boolean;
}

/** What came of it. */
export interface BareFigures {
  readonly textsPerCpuSecond: number;
  /** How long a call took; there is one for all texts, or one for each. */
  readonly medianMs: number;
}

const WARM_UP = { texts: 64, seed: 1_000_003 };

/**
 * Texts in the bare runtime, sorted by length, so that hardly anything is padded. A program: takes its task as JSON, prints
 * figures.
 */
async function run({ folder, kind, texts: count, seed, alone, ...task }: BareTask): Promise<BareFigures> {
  const embedder = await BareEmbedder.load(folder, task.threads);
  const embed = async (texts: readonly string[]) => {
    const rows = (await embedder.rowsOf(texts)).sort((one, other) => one.length - other.length);
    for (let at = 0; at < rows.length; at += task.batch)
      await embedder.vectorsOf(rows.slice(at, at + task.batch));
  };
  await embed(benchTexts(kind, WARM_UP.texts, WARM_UP.seed));
  const texts = benchTexts(kind, count, seed);
  const calls = alone ? texts.map((text) => [text]) : [texts];
  const times: number[] = [];
  const before = process.cpuUsage();
  for (const call of calls) {
    const begunAt = performance.now();
    await embed(call);
    times.push(performance.now() - begunAt);
  }
  const { user, system } = process.cpuUsage(before);
  return { textsPerCpuSecond: (count * 1_000_000) / (user + system), medianMs: median(times) };
}

console.log(JSON.stringify(await run(JSON.parse(process.argv[2] ?? '') as BareTask)));
