import type { PlainRoute } from '@morgan/http-server';
import { cohereErrorOf } from './cohere/cohere-error.ts';
import { cohereEmbedRoute } from './cohere/cohere.route.ts';
import type { EmbeddingService } from './embeddings/embedding.service.ts';
import { embeddingsRoute } from './embeddings/embeddings.route.ts';
import type { ServedModels } from './models/served-models.ts';
import { RankingService } from './ranking/ranking.service.ts';
import { olderRerankRoute, rerankRoute } from './ranking/rerank.routes.ts';
import { similarityRoute } from './similarity/similarity.route.ts';
import { embedAllRoute } from './tei/embed-all.route.ts';
import { teiErrorOf } from './tei/tei-error.ts';
import { teiRerankRoute, teiVectorRoutes } from './tei/tei.routes.ts';
import { tokenizeRoute } from './tei/tokenize.route.ts';
import { withErrors } from './wire-error.ts';

/** Every call that asks a model for something, protocol by protocol. All else is a controller. */
export function modelRoutes(service: EmbeddingService, models: ServedModels): PlainRoute[] {
  const ranking = new RankingService(models);
  return [
    embeddingsRoute(service),
    similarityRoute(service),
    ...withErrors(teiErrorOf, [
      ...teiVectorRoutes(service),
      teiRerankRoute(ranking),
      embedAllRoute(models),
      tokenizeRoute(models),
    ]),
    ...withErrors(cohereErrorOf, [
      cohereEmbedRoute(service),
      rerankRoute(ranking, models),
      olderRerankRoute(ranking),
    ]),
  ];
}
