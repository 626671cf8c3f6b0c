import { setTimeout as delay } from 'node:timers/promises';
import type { LaunchPlan } from './launch-plan.ts';

// Ever longer, three seconds in all: each try is a line in the log of both services.
const PAUSES_MS = [50, 100, 200, 400, 800, 1_500];

/**
 * A model to show in the banner: the first that the gateway lists and embedding-service does not. The gateway is ready before it
 * has read its hosts' lists, so that models may come late. @returns undefined where none comes
 */
export async function chatModel(
  { llm, embedding, apiKey }: Pick<LaunchPlan, 'llm' | 'embedding' | 'apiKey'>,
  ended: AbortSignal,
): Promise<string | undefined> {
  const headers = { authorization: `Bearer ${apiKey ?? ''}` };
  const modelsOf = async (origin: string): Promise<readonly string[]> => {
    const response = await fetch(`${origin}/v1/models`, { headers });
    const { data = [] } = (await response.json()) as { data?: { id: string }[] };
    return data.map(({ id }) => id);
  };
  try {
    const embeds = new Set(await modelsOf(embedding.origin));
    const chats = async () => (await modelsOf(llm.origin)).find((id) => !embeds.has(id));
    let model = await chats();
    for (const pauseMs of PAUSES_MS) {
      if (model !== undefined || ended.aborted) return model;
      await delay(pauseMs);
      model = await chats();
    }
    return model;
  } catch {
    return undefined;
  }
}
