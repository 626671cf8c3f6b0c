import type { ModelObject } from '@morgan/distributed-llm';
import { anthropicModels } from './anthropic-models.ts';

/** Who asks for a list of models. */
type ModelsDialect = 'openai' | 'anthropic';

/**
 * The list of models as JSON. Clients ask for it again and again, and writing thousands down takes many milliseconds, in which
 * nobody else has a turn: its bytes are kept for as long as the lists that they tell are the same, and all answers share them.
 */
export class ModelListJson {
  #lists: readonly (readonly ModelObject[])[] = [];
  readonly #written = new Map<ModelsDialect, Buffer>();

  /** @param lists of all upstreams, each the same one for as long as nothing of it changes */
  in(dialect: ModelsDialect, lists: readonly (readonly ModelObject[])[]): Buffer {
    if (lists.length !== this.#lists.length || lists.some((list, at) => list !== this.#lists[at])) {
      this.#lists = lists;
      this.#written.clear();
    }
    const told = this.#written.get(dialect) ?? write(dialect, eachOnce(lists.flat()));
    this.#written.set(dialect, told);
    return told;
  }
}

/** One server may be a host for both kinds of calls: of a name the first object counts, as for whoever asks for that model alone. */
function eachOnce(models: readonly ModelObject[]): readonly ModelObject[] {
  const byId = new Map<string, ModelObject>();
  for (const model of models) if (!byId.has(model.id)) byId.set(model.id, model);
  return [...byId.values()];
}

function write(dialect: ModelsDialect, models: readonly ModelObject[]): Buffer {
  const list = dialect === 'anthropic' ? anthropicModels(models) : { object: 'list', data: models };
  return Buffer.from(JSON.stringify(list));
}
