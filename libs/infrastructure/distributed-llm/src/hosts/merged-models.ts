import type { ModelObject } from './model-list.ts';

type Lists = readonly (readonly ModelObject[])[];

/**
 * The models of several lists together, of equal ids the first. Callers ask for them at any rate, and thousands take
 * milliseconds to put together: that is done anew only where a list is another one.
 */
export class MergedModels {
  #lists: Lists = [];
  #byId: ReadonlyMap<string, ModelObject>;
  #all: readonly ModelObject[];

  /** @param first before those of all lists */
  constructor(private readonly first: readonly ModelObject[]) {
    this.#byId = byId([first]);
    this.#all = [...this.#byId.values()];
  }

  get byId(): ReadonlyMap<string, ModelObject> {
    return this.#byId;
  }

  /** The merged list: the same object for as long as nothing changes. */
  get all(): readonly ModelObject[] {
    return this.#all;
  }

  /** @param lists as they are now. A list is never changed, but another one takes its place. */
  of(lists: Lists): this {
    if (lists.length === this.#lists.length && lists.every((list, at) => list === this.#lists[at]))
      return this;
    this.#lists = lists;
    this.#byId = byId([this.first, ...lists]);
    this.#all = [...this.#byId.values()];
    return this;
  }
}

function byId(lists: Lists): ReadonlyMap<string, ModelObject> {
  const models = new Map<string, ModelObject>();
  for (const list of lists) for (const model of list) if (!models.has(model.id)) models.set(model.id, model);
  return models;
}
