import { setTimeout as delay } from 'node:timers/promises';
import type { LaunchPlan } from './launch-plan.ts';

const TRIES = 30;
const PAUSE_MS = 100;

/**
 * A model to show in the banner: the first that the gateway lists and embedding-service does not. The gateway is ready before it
 * has read its hosts' lists, so that models may come late. @returns a name that stands for one where none comes
 */
export async function chatModel(
  { llm, embedding, apiKey }: Pick<LaunchPlan, 'llm' | 'embedding' | 'apiKey'>,
  ended: AbortSignal,
): Promise<string> {
  const headers = { authorization: `Bearer ${apiKey ?? ''}` };
  const modelsOf = async (origin: string): Promise<readonly string[]> => {
    const response = await fetch(`${origin}/v1/models`, { headers });
    const { data = [] } = (await response.json()) as { data?: { id: string }[] };
    return data.map(({ id }) => id);
  };
  try {
    const embeds = new Set(await modelsOf(embedding.origin));
    for (let tries = 0; tries < TRIES && !ended.aborted; tries += 1) {
      const model = (await modelsOf(llm.origin)).find((id) => !embeds.has(id));
      if (model !== undefined) return model;
      await delay(PAUSE_MS);
    }
  } catch {
    // Whoever reads the banner knows a model of theirs.
  }
  return 'your-model';
}
