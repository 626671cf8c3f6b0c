import { CALL_HEADERS } from '@morgan/distributed-llm';
import { createHttpApplication, Drain, type ServiceParts } from '@morgan/http-server';
import { ApiKeys } from '@morgan/security';
import { createLogger, HttpMetrics, Metrics, RequestLog, type ServiceLogger } from '@morgan/telemetry';
import { AdminParts } from './admin/admin.controller.ts';
import { composeAdmin } from './admin/compose-admin.ts';
import { HostFleet } from './admin/host-fleet.ts';
import { RequestExplainer } from './admin/request-explainer.ts';
import { AppModule } from './app.module.ts';
import { composeUpstreams } from './compose-upstreams.ts';
import type { LlmServiceConfig } from './config/llm-service.config.ts';
import { warnOfUnreachedLimits } from './config/unreached-limits.ts';
import type { Endpoint } from './endpoints/endpoint.ts';
import { endpointRoutes } from './relay/endpoint.routes.ts';
import { ENDPOINTS, extraEndpoint } from './endpoints/endpoint.table.ts';
import { requestIdHeadersOf } from './endpoints/anthropic-callers.ts';
import { errorBodyOf } from './endpoints/error-body.ts';
import { pathHint } from './endpoints/path-hint.ts';
import { formBodies } from './forms/form-upload.ts';
import { OUTLINE } from './outline/outline.format.ts';
import { HostRelay } from './relay/host-relay.ts';
import { GATEWAY_HOST, HOST_HEADER } from './exchange/write-head.ts';
import { ResponseMetrics } from './relay/response-metrics.ts';
import { ResponseOwners } from './relay/response-owners.ts';
import { ConfigReloader, type ReloadTrigger } from './reload/config-reloader.ts';
import { FileWatcher } from './reload/file.watcher.ts';
import { ReloadMetrics } from './reload/reload-metrics.ts';
import type { ReloadReport } from './reload/reload-report.ts';

/** Where the configuration comes from, to be loaded again. */
interface ConfigSource {
  /** @throws ConfigError naming every fault. */
  readonly load: () => LlmServiceConfig;
  /** The file that is watched for changes; none: only signals and operators have it loaded again. */
  readonly file: string | undefined;
  /** Tells the content of the file that was loaded from later ones ({@link digestOf}). Default: that is the one that is there now. */
  readonly digest?: string | undefined;
}

/** A service whose configuration can be loaded again. */
export interface ReloadableService extends ServiceParts {
  readonly reload: (trigger: ReloadTrigger) => Promise<ReloadReport>;
}

interface OperatedParts {
  readonly upstreams: ReturnType<typeof composeUpstreams>;
  readonly endpoints: readonly Endpoint[];
  readonly owners: ResponseOwners;
  readonly keys: ApiKeys;
  readonly logger: ServiceLogger;
  readonly metrics: Metrics;
}

/** Puts llm-service together: everything that it is made of, in one place. */
export async function composeLlmService(
  config: LlmServiceConfig,
  source: ConfigSource = { load: () => config, file: undefined },
): Promise<ReloadableService> {
  const { log, llmService } = config;
  const logger = createLogger('llm-service', log);
  warnOfUnreachedLimits(llmService, logger);
  const metrics = new Metrics({ process: true });
  const upstreams = composeUpstreams(llmService, logger, metrics);
  const endpoints = [...ENDPOINTS, ...llmService.extraPaths.map(extraEndpoint)];
  const keys = new ApiKeys(config.auth.apiKeys);
  if (keys.open) logger.warn({}, 'no API keys are configured: every caller is accepted');
  const parts = { upstreams, endpoints, owners: new ResponseOwners(), keys, logger, metrics };
  const operations = await composeOperations(config, source, parts);
  const drain = new Drain();
  return {
    app: await composeApplication(config, drain, parts),
    config: llmService.http,
    logger,
    drain,
    reload: operations.reload,
    start: () => Promise.all([upstreams.start(), operations.start()]).then(() => undefined),
    close: () => operations.close().then(() => upstreams.close()),
  };
}

/** What callers see. */
function composeApplication(
  { llmService }: LlmServiceConfig,
  drain: Drain,
  { upstreams, endpoints, owners, keys, logger, metrics }: OperatedParts,
) {
  const { http, timeouts, streams, forms, messages } = llmService;
  const { llm, embedding, callers, redis } = upstreams;
  const relay = new HostRelay({
    llm,
    embedding,
    timeouts,
    streams,
    forms,
    messages,
    owners,
    callers,
    logger,
    metrics: new ResponseMetrics(metrics),
  });
  const module = AppModule.register({
    llm,
    embedding,
    metrics,
    indicators: [drain, llm, embedding, ...(redis ? [redis] : [])],
  });
  return createHttpApplication(module, {
    config: http,
    logger,
    drain,
    observers: [new HttpMetrics(metrics), new RequestLog(logger)],
    metrics,
    authenticator: keys,
    bodies: { ...OUTLINE, streamed: formBodies(forms.heldBytes) },
    errorBody: errorBodyOf,
    requestIdHeaders: requestIdHeadersOf,
    pathHint,
    headers: { [HOST_HEADER]: GATEWAY_HOST },
    headersRead: CALL_HEADERS,
    routes: endpointRoutes(endpoints, relay),
    api: {
      title: 'Morgan llm-service',
      description: 'OpenAI-compatible gateway over many LLM hosts.',
    },
  });
}

/** What changes the service while it runs: the watched file and the admin API. */
async function composeOperations(
  config: LlmServiceConfig,
  { load, file, digest }: ConfigSource,
  { upstreams, endpoints, owners, keys, logger, metrics }: OperatedParts,
) {
  const { llm, embedding, reload: apply } = upstreams;
  const replaceKeys = (own: readonly string[]) => keys.replace(own);
  const reloadMetrics = new ReloadMetrics(metrics);
  const reloader = new ConfigReloader({ config, load, apply, replaceKeys, logger, metrics: reloadMetrics });
  const explainer = new RequestExplainer({ llm, embedding, endpoints, owners });
  const adminParts = new AdminParts(new HostFleet(llm, embedding), explainer, reloader, logger);
  const admin = await composeAdmin(config.llmService.admin, adminParts);
  const onChange = () => void reloader.reload('file');
  const watcher = file === undefined ? undefined : new FileWatcher({ path: file, digest, onChange, logger });
  return {
    reload: (trigger: ReloadTrigger) => reloader.reload(trigger),
    start: async () => admin?.start(),
    close: async () => {
      watcher?.stop();
      await admin?.close();
    },
  };
}
