import type { ServedModels } from '../models/served-models.ts';

/** The id of the model that a client of Ollama means, who takes a name without a tag for that with `:latest`. */
export function idOf(wanted: string, models: ServedModels): string {
  const ids = models.list().map(({ model }) => model.id);
  return ids.find((id) => id === wanted) ?? ids.find((id) => bare(id) === bare(wanted)) ?? bare(wanted);
}

function bare(name: string): string {
  return name.replace(/:latest$/, '');
}
