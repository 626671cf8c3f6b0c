import type { ResponseBody } from '@morgan/http-transport';
import type { ModelObject } from './host.ts';

/** Far above any real list; a host must not fill our memory. */
const LIMIT_BYTES = 4 * 1024 * 1024;

/** Reads OpenAI's list of models. Nothing where the body is something else: not every host has such a list. */
export async function readModelList(body: ResponseBody): Promise<readonly ModelObject[] | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LIMIT_BYTES) return undefined;
    chunks.push(chunk);
  }
  return modelsIn(Buffer.concat(chunks).toString());
}

function modelsIn(text: string): readonly ModelObject[] | undefined {
  try {
    const { data } = JSON.parse(text) as { data?: unknown };
    return Array.isArray(data) ? data.filter(isModel) : undefined;
  } catch {
    return undefined;
  }
}

function isModel(item: unknown): item is ModelObject {
  return typeof item === 'object' && item !== null && 'id' in item && typeof item.id === 'string';
}
