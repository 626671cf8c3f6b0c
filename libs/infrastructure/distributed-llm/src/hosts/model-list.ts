import type { ResponseBody } from '@morgan/http-transport';

/** A model as OpenAI's API describes it, with whatever else the host says of it. */
export interface ModelObject {
  readonly id: string;
  readonly [key: string]: unknown;
}

/** Far above any real list; a host must not fill our memory. */
const LIMIT_BYTES = 4 * 1024 * 1024;
const CONTEXT_LENGTH_FIELDS = ['max_model_len', 'context_length', 'context_window', 'max_context_length'];
const TAG = ':latest';

/** The models that a host says it has. A host may have no such list, or a broken one: then nothing is known. */
export class ModelList {
  #models: readonly ModelObject[] | undefined;
  #ids: ReadonlySet<string> = new Set();

  /** As received with the last list; kept while the host is down. */
  get objects(): readonly ModelObject[] {
    return this.#models ?? [];
  }

  get isKnown(): boolean {
    return this.#models !== undefined;
  }

  /** Whether it names the model, with or without Ollama's `:latest`. */
  names(model: string): boolean {
    return this.#ids.has(model) || this.#ids.has(toggleTag(model));
  }

  /** Whether the model may be there: it is named, or there is no list. */
  mayHave(model: string): boolean {
    return this.#models === undefined || this.names(model);
  }

  /** In tokens, where the list says so: vLLM's `max_model_len` and its kin. */
  contextLengthOf(model: string): number | undefined {
    const found = this.objects.find(({ id }) => id === model || id === toggleTag(model));
    const length = CONTEXT_LENGTH_FIELDS.map((field) => found?.[field]).find(
      (value) => typeof value === 'number',
    );
    return length;
  }

  update(models: readonly ModelObject[] | undefined): void {
    this.#models = models;
    this.#ids = new Set(models?.map(({ id }) => id));
  }
}

/** Reads OpenAI's list of models. Nothing where the body is something else: not every host has such a list. */
export async function readModelList(body: ResponseBody): Promise<readonly ModelObject[] | undefined> {
  try {
    const json = JSON.parse((await body.bytes(LIMIT_BYTES)).toString()) as { data?: unknown };
    // Together's is the bare list.
    const data = Array.isArray(json) ? json : json.data;
    const models = Array.isArray(data) ? data.filter(isModel) : [];
    // A host without models would serve nothing: an empty list is a list that is not kept.
    return models.length > 0 ? models : undefined;
  } catch {
    return undefined;
  }
}

function toggleTag(model: string): string {
  return model.endsWith(TAG) ? model.slice(0, -TAG.length) : model + TAG;
}

function isModel(item: unknown): item is ModelObject {
  return typeof item === 'object' && item !== null && 'id' in item && typeof item.id === 'string';
}
