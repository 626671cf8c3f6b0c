import { posix } from 'node:path';
import { BATCH_SAMPLES } from './graph/batch-independence.ts';
import { isCausal, type TokenGraph } from './graph/causality.ts';
import { readDeclaredDimensions } from './plan/declared-dimensions.reader.ts';
import { checkDevice, WrongNumbersError } from './graph/device-check.ts';
import { EmbeddingModel } from './embedding-model.ts';
import type { ModelOptions, TokenRow } from './embedding-model.types.ts';
import { readFirstPosition } from './plan/first-position.reader.ts';
import { type OpenedGraph, openGraph } from './graph/graph-opener.ts';
import { type ChosenOutput, CLASSIFIER_NAME, chooseOutput } from './graph/graph-output.chooser.ts';
import { type GraphOutput, type GraphRunner, padBatch } from './graph/graph-runner.ts';
import { measureLimit } from './graph/limit-measurement.ts';
import { digestFiles } from './model-digest.ts';
import { ModelLoadError } from './model-load-error.ts';
import type { ModelPlan } from './plan/model-plan.ts';
import { limitSources, type ModelParts, NO_PROMPT, readParts } from './model-parts.reader.ts';
import { shapeOf } from './plan/network-config.ts';
import { OnnxGraph } from './graph/onnx-graph.ts';
import { openFolder, readPlan } from './plan/plan.reader.ts';
import { isSigmoid } from './onnx-file/sigmoid-output.ts';
import { TextTokenizer } from './tokenizer/text-tokenizer.ts';
import { TOKENIZER_SETTINGS_FILES } from './tokenizer/tokenizer-settings.reader.ts';
import { FALLBACK_LIMIT, leavesNoRoom, ownLimit, statedLimit } from './tokenizer/token-window.ts';
import { VectorHead } from './vector-head.ts';

/** What is read besides the graph, and what the plan names. */
const SETTINGS_FILES = ['config.json', 'tokenizer.json', ...TOKENIZER_SETTINGS_FILES];
const DEFAULT_MEASURE_BYTES = 512 * 1024 ** 2;

/**
 * Opens the model of a folder: reads what its files say, loads the graph, runs it once, and measures how long a text may
 * be. Blocks the thread that it is on while the graph runs, so it belongs into a process of its own.
 * @throws ModelLoadError that names the file or setting, and what is there
 */
export async function openModel(path: string, options: ModelOptions): Promise<EmbeddingModel> {
  const parts = await readParts(path, options);
  const { tokenizer, graph, sample } = parts;
  const { padId } = tokenizer.settings;
  const longest = statedLimit(limitSources(parts));
  const request = { ...parts, file: graph.file, longest, sample: sample.ids, padId };
  const opened = await openGraph(request);
  try {
    return await start(parts, opened);
  } catch (error) {
    if (options.device !== 'auto' || !(error instanceof WrongNumbersError)) throw error;
    const onCpu = await openGraph({ ...request, options: { ...options, device: 'cpu' } });
    const notes = [...opened.notes, `${opened.device} is not used: ${error.message}`];
    return await start(parts, { ...onCpu, notes });
  }
}

/** The graph is closed where the model cannot be used. @throws ModelLoadError */
async function start(
  parts: ModelParts,
  { runner, device, blocks, notes }: OpenedGraph,
): Promise<EmbeddingModel> {
  const { folder, plan, options, tokenizer, sample } = parts;
  try {
    const outputs = await firstRun(runner, tokenizer.settings.padId, sample);
    const output = await withRawScores(parts, chooseOutput(outputs, plan, options.graph, parts.config));
    await checkGuess(parts, output, { runner, device, ids: sample.ids });
    const limit = await limitOf(parts, { runner, device, blocks, output: output.name, sample: sample.ids });
    checkRoom(parts, limit.maxTokens);
    await checkDefaultPrompt(parts, limit.maxTokens);
    const info = {
      ...(await describe(parts, output)),
      ...limit,
      rowTokens: runner.length,
      attentionBlocks: blocks && { rows: blocks.rows, valuesPerPair: blocks.valuesPerPair },
      device,
      notes: [...(output.pooled ? [] : plan.notes), ...notesOf(parts, output), ...notes],
    };
    const head = await VectorHead.load(folder, output.modules);
    const rows = await tokenizer.tokenize(BATCH_SAMPLES, NO_PROMPT);
    const samples = rows.map((row) => tokenizer.cut(row, limit.maxTokens));
    return await EmbeddingModel.start({ runner, tokenizer, output, head, plan, info }, samples);
  } catch (error) {
    await runner.close();
    throw error;
  }
}

/** Scores of cross-encoders are raw here: whoever wants them between 0 and 1 makes them so, and must not do it twice. */
async function withRawScores(
  { folder, graph, plan }: ModelParts,
  output: ChosenOutput,
): Promise<ChosenOutput> {
  if (plan.backend !== 'cross-encoder' || !(await isSigmoid(folder, graph.file, output.name))) return output;
  return { ...output, modules: [...output.modules, { type: 'logit' }] };
}

/** A tokenizer, and SHA-256 over the files that say how it makes tokens. */
export interface OpenedTokenizer {
  readonly tokenizer: TextTokenizer;
  readonly digest: string;
}

/**
 * Opens the tokenizer alone, for a process that does not run the graph.
 * @throws ModelLoadError
 */
export async function openTokenizer(path: string, options: ModelOptions): Promise<OpenedTokenizer> {
  const folder = openFolder(path);
  const plan = await readPlan(folder, options);
  const tokenizer = await TextTokenizer.open(folder, plan);
  return { tokenizer, digest: await digestFiles(folder, filesOf(plan)) };
}

function filesOf({ root, files }: ModelPlan): readonly string[] {
  return [...SETTINGS_FILES.map((name) => posix.join(root, name)), ...files];
}

/** Which outputs there are, and of which rank, is only certain after a run. @throws ModelLoadError */
async function firstRun(
  runner: GraphRunner,
  padId: number,
  sample: TokenRow,
): Promise<ReadonlyMap<string, GraphOutput>> {
  try {
    return await runner.run(padBatch([sample], padId, 'right', runner.length));
  } catch (cause) {
    throw new ModelLoadError(`the graph does not run: ${(cause as Error).message}`, { cause });
  }
}

/** Every text would have the vector of the special tokens. @throws ModelLoadError */
function checkRoom({ tokenizer: { specialTokens } }: ModelParts, limit: number): void {
  if (limit > specialTokens) return;
  throw new ModelLoadError(
    `the model takes ${limit} tokens, and ${specialTokens} special ones stand around every text: that leaves no room for a text`,
  );
}

/** Every call that names no prompt would be refused. @throws ModelLoadError */
async function checkDefaultPrompt({ plan, tokenizer }: ModelParts, limit: number): Promise<void> {
  const [{ promptTokens = 0 } = {}] = await tokenizer.tokenize(['']);
  if (!leavesNoRoom(promptTokens, limit, tokenizer.settings)) return;
  throw new ModelLoadError(
    `the default prompt "${plan.defaultPrompt}" has ${promptTokens} tokens, and the model takes ${limit}: that leaves no room for a text`,
  );
}

/**
 * Of a decoder only the last token has read the whole text: a mean that nobody asked for is no vector of it. Nor is one
 * without the layer that makes the vectors of the model.
 */
async function checkGuess(
  { plan, tokenizer }: ModelParts,
  { pooled, name }: ChosenOutput,
  { ids, ...graph }: Pick<TokenGraph, 'runner' | 'device'> & { readonly ids: readonly number[] },
): Promise<void> {
  if (pooled || plan.notes.length === 0) return;
  if (plan.lacksDense !== undefined)
    throw new ModelLoadError(
      `a Dense layer makes the vectors of ${plan.lacksDense}, which its name says this is, and neither the graph nor a module of the folder has it. ` +
        'EMBEDDING_POOLING says how they are made without it',
    );
  const takesLast = plan.modules.some(
    (module) => module.type === 'pooling' && module.modes.includes('lasttoken'),
  );
  const { padId } = tokenizer.settings;
  if (takesLast || !(await isCausal({ ...graph, output: name, padId }, ids))) return;
  throw new ModelLoadError(
    'tokens of this graph see only those before them, as in decoders, and nothing in the folder says how their vectors become one; EMBEDDING_POOLING says it, for most such models with lasttoken',
  );
}

async function limitOf(
  parts: ModelParts,
  opened: Pick<OpenedGraph, 'runner' | 'device' | 'blocks'> & {
    readonly output: string;
    readonly sample: readonly number[];
  },
) {
  const sources = limitSources(parts);
  const { folder, options, config, tokenizer, graph } = parts;
  // A GPU reads beyond the end of a table without a word.
  const onCpu =
    opened.device === 'cpu'
      ? undefined
      : await OnnxGraph.open(folder.pathOf(graph.file), {
          device: 'cpu',
          threads: options.threads,
          memoryArena: false,
          inputs: options.graph?.inputs,
          firstPosition: await readFirstPosition(folder, parts.plan.root),
        });
  const { padId } = tokenizer.settings;
  try {
    const limit = await measureLimit({
      ...opened,
      runner: onCpu ?? opened.runner,
      padId,
      shape: shapeOf(config),
      stated: Math.min(statedLimit(sources), opened.runner.length ?? Infinity),
      positions: sources.positions,
      budgetBytes: options.measureBytes ?? DEFAULT_MEASURE_BYTES,
    });
    const check = { padId, dtype: graph.dtype, longest: limit.maxTokens };
    if (onCpu) await checkDevice({ ...opened, ...check, onCpu }, opened.sample);
    return limit;
  } finally {
    await onCpu?.close();
  }
}

async function describe(
  { folder, plan, config, tokenizer, graph, dataFiles }: ModelParts,
  output: ChosenOutput,
) {
  const weights = [graph.file, ...dataFiles];
  const pooling = plan.modules.flatMap((module) => (module.type === 'pooling' ? module.modes : []));
  return {
    backend: plan.backend,
    dtype: graph.dtype,
    vocabularySize: config.vocab_size ?? tokenizer.vocabularySize,
    cutDimensions: await readDeclaredDimensions(folder, posix.join(plan.root, 'config.json')),
    cutSide: tokenizer.settings.cutSide,
    pooling: output.pooled ? 'model' : pooling.join('+'),
    output: output.name,
    modules: output.modules.map(({ type }) => type),
    prompts: plan.prompts,
    defaultPrompt: plan.defaultPrompt,
    similarity: plan.similarity,
    tokenizer: tokenizer.kind,
    digest: await digestFiles(folder, [...filesOf(plan), ...weights]),
    weightsBytes: weights.reduce((sum, file) => sum + folder.sizeOf(file), 0),
    shape: shapeOf(config),
  };
}

function notesOf(parts: ModelParts, { pooled, name }: ChosenOutput): string[] {
  const notes: string[] = [];
  if (name === CLASSIFIER_NAME && parts.options.graph?.output === undefined)
    notes.push(`the only output is "${name}", which most networks make for classification, and it is used`);
  if (pooled && parts.options.graph?.pooling)
    notes.push('the graph pools by itself: EMBEDDING_POOLING is without effect');
  const { fallback, configured } = limitSources(parts);
  if (ownLimit(limitSources(parts)) === undefined && (fallback ?? configured) === undefined)
    notes.push(
      `nothing in the folder says how many tokens a text may have; ${FALLBACK_LIMIT} are used, and EMBEDDING_MAX_TOKENS says it otherwise`,
    );
  if (parts.tokenizer.kind !== 'native')
    notes.push(
      'the native tokenizer has no binary here; the JavaScript one serves, which has other tokens for some rare characters',
    );
  return notes;
}
