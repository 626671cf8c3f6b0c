import type { ModelObject } from '@morgan/distributed-llm';

const EPOCH = new Date(0).toISOString();
/** The last moment that a date can be, in seconds. */
const LAST_SECOND = 8.64e12;

/** A list of models as Anthropic's clients read it. It is whole: there is no further page. */
export function anthropicModels(models: readonly ModelObject[]): object {
  const ids = models.map(({ id }) => id);
  return {
    data: models.map(anthropicModel),
    has_more: false,
    first_id: ids[0] ?? null,
    last_id: ids.at(-1) ?? null,
  };
}

/** One of them: what the host says, and beside it what Anthropic's would. */
export function anthropicModel(model: ModelObject): object {
  const { id, created } = model;
  return { display_name: id, created_at: timeOf(created), ...model, type: 'model' };
}

/** In seconds since 1970; where nobody knows it, Anthropic's API names the first moment of that year. */
function timeOf(created: unknown): string {
  const isTime = typeof created === 'number' && created >= 0 && created <= LAST_SECOND;
  return isTime ? new Date(created * 1000).toISOString() : EPOCH;
}
