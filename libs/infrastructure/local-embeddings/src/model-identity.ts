import type { ModelInfo } from './model/embedding-model.types.ts';

/** Counted up when this library makes other vectors of the same files: replicas of two versions never mix theirs. */
const VECTORS_VERSION = 8;

/** What a model is called here, and how it is fed. */
interface ModelUse {
  readonly id: string;
  readonly graphInputs?: readonly string[] | undefined;
  /** Default: that of the model. */
  readonly promptName: string | undefined;
}

/** Of models with their default prompt, as every call asks for it. What a load has found is used in one way only. */
const byDefault = new WeakMap<ModelInfo, string>();

/** Everything whose change changes vectors, as one text. */
export function identityOf(info: ModelInfo, use: ModelUse): string {
  if (use.promptName !== undefined) return written(info, use);
  const identity = byDefault.get(info) ?? written(info, use);
  byDefault.set(info, identity);
  return identity;
}

function written(info: ModelInfo, { id, graphInputs, promptName }: ModelUse): string {
  const { backend, device, dtype, dimensions, maxTokens, output, pooling, modules } = info;
  // The JavaScript tokenizer has other tokens for some texts.
  const { prompts, defaultPrompt, digest, tokenizer } = info;
  const graph = { backend, device, dtype, dimensions, maxTokens, output, graphInputs, pooling, modules };
  const prompt = promptName ?? defaultPrompt;
  return JSON.stringify([
    VECTORS_VERSION,
    id,
    { ...graph, prompts, defaultPrompt, digest, tokenizer },
    prompt,
  ]);
}
