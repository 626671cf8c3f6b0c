import type { ResponseBody } from '@morgan/http-transport';

/** A model as OpenAI's API describes it, with whatever else the host says of it. */
export interface ModelObject {
  readonly id: string;
  readonly [key: string]: unknown;
}

/** What a host says that it has. */
interface ListedModels {
  readonly models: readonly ModelObject[];
  /** Whether these are all: some hand out one page of several. */
  readonly isWhole: boolean;
}

/** Far above any real list; a host must not fill our memory. */
const LIMIT_BYTES = 4 * 1024 * 1024;
/** The same in models, and in names of one: each call looks through those that stand for several. */
const MOST_MODELS = 10_000;
const MOST_ALIASES = 100;
const CONTEXT_LENGTH_FIELDS = ['max_model_len', 'context_length', 'context_window', 'max_context_length'];
const NONE: readonly ModelObject[] = [];
const TAG = ':latest';
/** Gemini's list has it in front of every name, and its API takes names with and without. */
const FOLDER = 'models/';
/** Providers list a model with its date, and take its name without one, or with `-latest`, as well. */
const DATE = /-(\d{8}|\d{4}-\d\d-\d\d)$/;
const LATEST = /-latest$/;

/** The models that a host says it has. A host may have no such list, or a broken one: then nothing is known. */
export class ModelList {
  #listed: ListedModels | undefined;
  #ids: ReadonlySet<string> = new Set();
  /** The same and their aliases, as far as they are names of one model. */
  #keys: ReadonlySet<string> = new Set();
  /** Gateways list what they pass on to others as `openai/*`. */
  #prefixes: readonly string[] = [];

  /** As received with the last list; kept while the host is down. */
  get objects(): readonly ModelObject[] {
    return this.#listed?.models ?? NONE;
  }

  /** Whether it names the model, with or without Ollama's `:latest` and Gemini's `models/`. */
  names(model: string): boolean {
    return spellingsOf(model).some((id) => this.#ids.has(id));
  }

  /** Whether the model may be there: it is named, in whatever spelling, or there is no whole list. */
  mayHave(model: string): boolean {
    if (!this.#listed?.isWhole) return true;
    const key = keyOf(model);
    if (this.#keys.has(key) || this.#keys.has(key.replace(LATEST, ''))) return true;
    return this.#prefixes.some((prefix) => model.startsWith(prefix));
  }

  /** In tokens, where the list says so: vLLM's `max_model_len` and its kin. */
  contextLengthOf(model: string): number | undefined {
    const key = keyOf(model);
    const found =
      this.objects.find(({ id }) => id === model) ?? this.objects.find(({ id }) => keyOf(id) === key);
    return CONTEXT_LENGTH_FIELDS.map((field) => found?.[field]).find(isLength);
  }

  update(listed: ListedModels | undefined): void {
    const models = listed?.models ?? [];
    this.#listed = listed;
    this.#ids = new Set(models.map(({ id }) => id));
    const names = models.flatMap(({ id, aliases }) => [id, id.replace(DATE, ''), ...textsIn(aliases)]);
    this.#keys = new Set(names.map(keyOf));
    this.#prefixes = models.filter(({ id }) => id.endsWith('*')).map(({ id }) => id.slice(0, -1));
  }
}

/** Reads OpenAI's list of models. Nothing where the body is something else: not every host has such a list. */
export async function readModelList(body: ResponseBody): Promise<ListedModels | undefined> {
  try {
    const json = JSON.parse((await body.bytes(LIMIT_BYTES)).toString().trim()) as {
      data?: unknown;
      has_more?: unknown;
    };
    // Together's is the bare list.
    const data = Array.isArray(json) ? json : json.data;
    const models = Array.isArray(data) ? data.filter(isModel) : [];
    // A host without models would serve nothing: an empty list is a list that is not kept.
    if (models.length === 0) return undefined;
    const isWhole = json.has_more !== true && models.length <= MOST_MODELS;
    return { models: models.slice(0, MOST_MODELS), isWhole };
  } catch {
    return undefined;
  }
}

/** The ids that a list may have for the model of a name, the name itself first. */
export function spellingsOf(model: string): string[] {
  return [model, toggleTag(model), FOLDER + model];
}

/** The same model in Ollama's other spelling: with `:latest`, or without. */
export function toggleTag(model: string): string {
  return model.endsWith(TAG) ? model.slice(0, -TAG.length) : model + TAG;
}

/** What the names of one model share: hosts that take several take any spelling. */
function keyOf(model: string): string {
  const name = model.startsWith(FOLDER) ? model.slice(FOLDER.length) : model;
  return (name.endsWith(TAG) ? name.slice(0, -TAG.length) : name).toLowerCase();
}

function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.slice(0, MOST_ALIASES).filter((each) => typeof each === 'string') : [];
}

/** Where a host does not know it, some say 0 or -1. */
function isLength(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function isModel(item: unknown): item is ModelObject {
  return typeof item === 'object' && item !== null && 'id' in item && typeof item.id === 'string';
}
