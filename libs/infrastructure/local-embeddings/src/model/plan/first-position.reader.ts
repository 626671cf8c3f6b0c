import { posix } from 'node:path';
import { z } from 'zod';
import type { ModelFolder } from '../model-folder.ts';

/** Networks that number tokens from behind the padding id. */
const BEHIND_PADDING =
  /^(camembert|data2vec-text|ibert|lilt|longformer|luke|mpnet|roberta|roberta-prelayernorm|xlm-roberta|xlm-roberta-xl|xmod)$/;
const USUAL_PADDING = 1;

const configSchema = z.looseObject({
  model_type: z.string().optional().catch(undefined),
  pad_token_id: z.int().min(0).nullish().catch(undefined),
});

/** The number of the first token, for a graph that is told positions: other numbers would be other vectors. @throws ModelLoadError */
export async function readFirstPosition(folder: ModelFolder, root: string): Promise<number> {
  const config = await folder.read(posix.join(root, 'config.json'), configSchema);
  if (!BEHIND_PADDING.test(config?.model_type ?? '')) return 0;
  return (config?.pad_token_id ?? USUAL_PADDING) + 1;
}
