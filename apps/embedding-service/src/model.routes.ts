import { type ErrorBody, plainPath, type PlainRoute } from '@morgan/http-server';
import { cohereErrorOf } from './cohere/cohere-error.ts';
import { cohereEmbedRoute, olderCohereEmbedRoute } from './cohere/cohere.route.ts';
import type { EmbeddingService } from './embeddings/embedding.service.ts';
import { embeddingsRoute } from './embeddings/embeddings.route.ts';
import type { ServedModels } from './models/served-models.ts';
import { ollamaErrorOf } from './ollama/ollama-error.ts';
import { ollamaRoutes } from './ollama/ollama.routes.ts';
import { RankingService } from './ranking/ranking.service.ts';
import { olderRerankRoute, rerankRoute } from './ranking/rerank.routes.ts';
import { similarityRoute } from './similarity/similarity.route.ts';
import { embedAllRoute } from './tei/embed-all.route.ts';
import { teiErrorOf } from './tei/tei-error.ts';
import { teiRoutes } from './tei/tei.routes.ts';
import { tokenizeRoute } from './tei/tokenize.route.ts';
import { type WireErrorWriter, withErrors } from './wire-error.ts';

/** What Ollama has, and of this service no route that asks a model. */
const OF_OLLAMA = /^\/api\/(?:chat|generate|ps|version|pull|push|create|copy|delete|tags|show)$/;

/** What text-embeddings-inference has, and this service not. */
const OF_TEI = /^\/(?:embed_sparse|predict|decode|vertex|invocations)$/;

/** Whose clients ask for what this service has not. */
function writerOfAbsent(path: string): WireErrorWriter | undefined {
  if (OF_OLLAMA.test(path)) return ollamaErrorOf;
  if (OF_TEI.test(path)) return teiErrorOf;
  return path.startsWith('/v2/') ? cohereErrorOf : undefined;
}

/** The calls that ask a model for something, and how their callers are told of an error in front of them. */
interface ModelRoutes {
  readonly routes: readonly PlainRoute[];
  readonly errorBody: ErrorBody;
}

/** Every call that asks a model for something, protocol by protocol. All else is a controller. */
export function modelRoutes(service: EmbeddingService, models: ServedModels): ModelRoutes {
  const ranking = new RankingService(models);
  const embeddings = embeddingsRoute(service);
  const tei = [...teiRoutes(service, ranking), embedAllRoute(models), tokenizeRoute(models)];
  const cohere = [
    cohereEmbedRoute(service),
    olderCohereEmbedRoute(service),
    rerankRoute(ranking),
    olderRerankRoute(ranking),
  ];
  const ollama = ollamaRoutes(service, models);
  const writers = new Map<string, WireErrorWriter>([
    ...tei.map(({ path }) => [path, teiErrorOf] as const),
    ...cohere.map(({ path }) => [path, cohereErrorOf] as const),
    ...ollama.map(({ path }) => [path, ollamaErrorOf] as const),
  ]);
  return {
    routes: [
      embeddings,
      // Where Infinity and text-embeddings-inference have it, whose clients are given the address of the server itself.
      { ...embeddings, path: '/embeddings' },
      similarityRoute(service),
      ...withErrors(teiErrorOf, tei),
      ...withErrors(cohereErrorOf, cohere),
      ...withErrors(ollamaErrorOf, ollama),
    ],
    errorBody: (error, { url }) => {
      const path = plainPath(url);
      const write = writers.get(path) ?? writerOfAbsent(path);
      return write?.(error).body ?? error.toEnvelope();
    },
  };
}
