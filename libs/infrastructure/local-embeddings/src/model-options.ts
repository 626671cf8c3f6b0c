import { availableParallelism } from 'node:os';
import type { LocalEmbeddingsConfig } from './local-embeddings.config.ts';
import type { ModelOptions } from './model/embedding-model.types.ts';

/** How the processes of a model open its folder, as the configuration says. */
export function modelOptions(config: LocalEmbeddingsConfig): ModelOptions {
  const { backend, device, dtype, maxTokens, truncateDimensions, promptName } = config;
  const { graphFile, graphInputs, graphOutput } = config;
  const cpus = availableParallelism();
  return {
    backend,
    device,
    dtype,
    maxTokens,
    truncateDimensions,
    promptName,
    threads: config.threads ?? Math.max(1, Math.floor(cpus / (config.workers ?? cpus))),
    graph: {
      file: graphFile,
      inputs: graphInputs,
      output: graphOutput,
      pooling: config.pooling,
      normalize: config.normalize,
    },
    memoryArena: false,
  };
}
