import type { CallContext } from '@morgan/foundation';
import { DeadlinePolicy } from '@morgan/retry';
import { type AskedCut, checkCut } from '../embeddings/request/asked-cut.ts';
import type { ServedModels } from '../models/served-models.ts';

/** What a call asks for. */
interface RankingRequest {
  readonly query: string;
  readonly texts: readonly string[];
  /** What the caller calls the list of texts, for errors. */
  readonly field: string;
  /** Default: the first cross-encoder that is served. */
  readonly model?: string | null | undefined;
  /** Default: as the model is configured. */
  readonly truncate?: boolean | null | undefined;
  /** Default: where the model is made for it, at its limit. */
  readonly cut?: readonly AskedCut[] | undefined;
  /** Scores as the model gives them, instead of between 0 and 1. */
  readonly raw?: boolean | null | undefined;
  /** Default: all. */
  readonly most?: number | null | undefined;
}

/** One of the texts. */
interface RankedText {
  /** Its place in the list of the caller. */
  readonly index: number;
  readonly score: number;
}

/** The texts of a call, the best first, and what they have cost. */
export interface RankingOutcome {
  readonly model: string;
  readonly ranked: readonly RankedText[];
  readonly tokens: number;
  /** Texts that were cut to fit. */
  readonly truncated: number;
}

/** Says which texts answer a query best, by the scores of a cross-encoder. */
export class RankingService {
  readonly #deadline = new DeadlinePolicy();

  constructor(private readonly models: ServedModels) {}

  /** @throws AppError `model_not_found`, `unsupported_by_model`, `deadline_exceeded`, and what the model throws */
  rank(request: RankingRequest, context: CallContext): Promise<RankingOutcome> {
    return this.#deadline.execute((bounded) => this.#rank(request, bounded), context);
  }

  async #rank(request: RankingRequest, context: CallContext): Promise<RankingOutcome> {
    const { query, texts, field, cut, raw, most } = request;
    const model = await this.models.forRanking(request.model ?? undefined);
    const truncate = request.truncate ?? model.truncatesByDefault;
    const items = await this.models.use(model, context, () => {
      checkCut(cut, model);
      return model.score(query, texts, context, { truncate, field });
    });
    // By what the model gave: the logistic function makes 1 of all that is far above 0.
    const ranked = items
      .map(({ score }, index) => ({ index, score }))
      .sort((one, other) => other.score - one.score || one.index - other.index)
      .map(({ index, score }) => ({ index, score: raw ? score : logistic(score) }));
    return {
      model: model.id,
      ranked: ranked.slice(0, most ?? texts.length),
      tokens: items.reduce((sum, { tokenCount }) => sum + tokenCount, 0),
      truncated: items.filter(({ truncated }) => truncated).length,
    };
  }
}

function logistic(score: number): number {
  return 1 / (1 + Math.exp(-score));
}
