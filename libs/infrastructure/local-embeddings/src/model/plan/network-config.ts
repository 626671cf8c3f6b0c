import { z } from 'zod';
import type { ModelShape } from '../embedding-model.types.ts';

const count = z.int().min(1).optional().catch(undefined);

/** What matters here of a model's `config.json`. A value of another kind counts as none: it belongs to networks of other sorts. */
export const networkConfig = z.looseObject({
  model_type: z.string().optional().catch(undefined),
  vocab_size: count,
  max_position_embeddings: count,
  n_positions: count,
  hidden_size: count,
  num_attention_heads: count,
});
export type NetworkConfig = z.output<typeof networkConfig>;

/** Networks that see how far tokens are from each other, so that `n_positions`, which they have too, limits nothing. */
const RELATIVE = /t5|^switch_transformers$/i;

/** How many positions the network knows, where that is said: in `n_positions` by those after GPT. */
export function positionsOf({
  model_type: network = '',
  max_position_embeddings: positions,
  n_positions: called,
}: NetworkConfig): number | undefined {
  return positions ?? (RELATIVE.test(network) ? undefined : called);
}

export function shapeOf(config: NetworkConfig): ModelShape {
  return {
    heads: config.num_attention_heads,
    hiddenSize: config.hidden_size,
  };
}
