import { cosineSimilarity, SIMILARITY_METRICS, type SimilarityMetric } from '@morgan/local-embeddings';

/** Cosine and dot product grow with likeness; `euclidean` and `manhattan` are distances, 0 for equal vectors. */
export function similarityOf(metric: SimilarityMetric, left: Float32Array, right: Float32Array): number {
  switch (metric) {
    case 'cosine':
      return cosineSimilarity(left, right);
    case 'dot':
      return sumOf(left, right, (a, b) => a * b);
    case 'euclidean':
      return Math.sqrt(sumOf(left, right, (a, b) => (a - b) ** 2));
    case 'manhattan':
      return sumOf(left, right, (a, b) => Math.abs(a - b));
    default:
      throw new RangeError(`a metric is one of: ${SIMILARITY_METRICS.join(', ')}`);
  }
}

function sumOf(left: Float32Array, right: Float32Array, term: (a: number, b: number) => number): number {
  let sum = 0;
  for (let index = 0; index < left.length; index += 1) {
    sum += term(left[index] as number, right[index] as number);
  }
  return sum;
}
