import { pearson, spearman } from './correlation.ts';
import type { ScoredPair } from './scored-pairs.ts';

/** Pairs in one call. */
const CALL_PAIRS = 256;

/** Where the texts are sent. */
interface EvaluatedModel {
  /** Origin of embedding-service. */
  readonly url: string;
  readonly apiKey?: string | undefined;
  /** Further fields of each call, such as `model` and `input_type`. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** How well the cosines of a model's vectors follow the scores of people. */
interface Evaluation {
  readonly model: string;
  readonly pairs: number;
  readonly pearson: number;
  readonly spearman: number;
}

interface EmbeddingsBody {
  readonly model: string;
  readonly data: readonly { readonly similarity: number }[];
  readonly error?: { readonly message: string };
}

/** Compares all pairs through `POST /v1/similarity`. @throws Error with the message of the service where it refuses */
export async function evaluate(
  pairs: readonly ScoredPair[],
  { url, apiKey, fields }: EvaluatedModel,
): Promise<Evaluation> {
  const cosines: number[] = [];
  let model = '';
  for (let start = 0; start < pairs.length; start += CALL_PAIRS) {
    const part = pairs.slice(start, start + CALL_PAIRS).map(({ sentences }) => sentences);
    const response = await fetch(new URL('/v1/similarity', url), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      },
      body: JSON.stringify({ ...fields, metric: 'cosine', pairs: part }),
    });
    const body = (await response.json()) as EmbeddingsBody;
    if (!response.ok) throw new Error(body.error?.message ?? `the service answered ${response.status}`);
    model = body.model;
    cosines.push(...body.data.map(({ similarity }) => similarity));
  }
  const scores = pairs.map(({ score }) => score);
  return {
    model,
    pairs: pairs.length,
    pearson: pearson(cosines, scores),
    spearman: spearman(cosines, scores),
  };
}
