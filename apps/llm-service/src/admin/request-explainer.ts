import type { DistributedLlmClient, HostRequest, RouteExplanation } from '@morgan/distributed-llm';
import { AppError } from '@morgan/foundation';
import { plainPath } from '@morgan/http-server';
import type { Endpoint } from '../endpoints/endpoint.ts';
import { hostPathOf } from '../endpoints/host-path.ts';
import { outlineOf } from '../outline/outline.format.ts';
import { checkDeployment } from '../outline/request-checks.ts';
import { CHAT_PATH, mustTranslate } from '../messages/message-translation.ts';
import type { ResponseOwners } from '../relay/response-owners.ts';
import { type ExplainRequest, explainSchema } from './admin.schemas.ts';

/** What requests are explained by: the same parts as they are served by. */
interface RequestExplainerParts {
  readonly llm: DistributedLlmClient;
  readonly embedding: DistributedLlmClient;
  readonly endpoints: readonly Endpoint[];
  readonly owners: ResponseOwners;
}

/** Says how a request of a caller would be routed now. Sends nothing, and changes nothing. */
export class RequestExplainer {
  constructor(private readonly parts: RequestExplainerParts) {}

  /** @throws AppError `unknown_url`, or as the request itself would be refused before any host is asked. */
  explain(asked: ExplainRequest): RouteExplanation {
    const { path, method, model, body, headers } = explainSchema.parse(asked);
    const { endpoint, params } = this.#endpointOf(method, plainPath(path));
    const lowered = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
    const json = body ?? (model === undefined ? undefined : { model });
    const deployment = decoded(params['model']);
    checkDeployment(path, deployment);
    if (body) endpoint.check?.(outlineOf(Buffer.from(JSON.stringify(body))));
    const owner = this.#ownerOf(endpoint, decoded(params['id']), body?.['previous_response_id']);
    const request: HostRequest = {
      method,
      path: hostPathOf(endpoint.path).replace(/:(\w+)/g, (_, name: string) => params[name] ?? ''),
      headers: Object.fromEntries(lowered) as Record<string, string>,
      body: json && Buffer.from(JSON.stringify(json)),
      model: deployment ?? modelIn(json),
      only: owner === undefined ? undefined : [owner],
    };
    const { llm, embedding } = this.parts;
    if (endpoint.isEmbedding) return embedding.explain(request);
    return llm.explain(
      mustTranslate({ path: request.path, request }, llm) ? { ...request, path: CHAT_PATH } : request,
    );
  }

  #endpointOf(
    method: string,
    path: string,
  ): { endpoint: Endpoint; params: Readonly<Record<string, string>> } {
    for (const endpoint of this.parts.endpoints) {
      const found = endpoint.method === method && patternOf(endpoint.path).exec(path);
      if (found) return { endpoint, params: found.groups ?? {} };
    }
    throw new AppError('unknown_url', 'The service has no such path.', { param: 'path' });
  }

  /** What a host keeps only that host is asked for. */
  #ownerOf({ path }: Endpoint, id: string | undefined, previous: unknown): string | undefined {
    const mayGoOn = hostPathOf(path).startsWith('/responses');
    const kept = id ?? (mayGoOn && typeof previous === 'string' ? previous : undefined);
    if (kept === undefined) return undefined;
    const { llm, owners } = this.parts;
    const hosts = llm.routeOf(undefined).hosts.map(({ name }) => name);
    return owners.ownerOf(kept, { hosts, param: id === undefined ? 'previous_response_id' : 'path' });
  }
}

/** A part of a path. @throws AppError `invalid_value` where it cannot be one */
function decoded(part: string | undefined): string | undefined {
  try {
    return part && decodeURIComponent(part);
  } catch (cause) {
    throw new AppError('invalid_value', "Invalid 'path': it cannot be decoded.", { param: 'path', cause });
  }
}

function modelIn(json: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const model = json?.['model'];
  return typeof model === 'string' ? model : undefined;
}

function patternOf(path: string): RegExp {
  const escaped = path.replace(/[.~]/g, '\\$&');
  return new RegExp(`^${escaped.replace(/:(\w+)/g, '(?<$1>[^/]+)')}$`);
}
