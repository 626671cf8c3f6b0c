import { ConfigError, type Logger } from '@morgan/foundation';
import type { LlmServiceConfig } from '../config/llm-service.config.ts';
import { warnOfUnreachedLimits } from '../config/unreached-limits.ts';
import { changedSettings, isOfHosts, KEYS } from './changed-settings.ts';
import type { ReloadMetrics } from './reload-metrics.ts';
import type { ReloadReport } from './reload-report.ts';

/** What had the configuration loaded again. */
export type ReloadTrigger = 'file' | 'signal' | 'admin';

/** What a reloader works with. */
interface ConfigReloaderOptions {
  /** What runs. */
  readonly config: LlmServiceConfig;
  /** Reads and validates the whole configuration. @throws ConfigError */
  readonly load: () => LlmServiceConfig;
  /** Puts other hosts, routes and settings into force. */
  readonly apply: (upstream: LlmServiceConfig['llmService']['upstream']) => Promise<void>;
  /** Admits callers by other keys. */
  readonly replaceKeys: (keys: readonly string[]) => void;
  readonly logger: Logger;
  readonly metrics: ReloadMetrics;
}

/**
 * Loads the configuration again while the service runs. It is read and validated as a whole before anything changes: one
 * with a fault changes nothing. The hosts, the way to them and the keys of callers change at once; everything else is named and
 * waits for a restart.
 */
export class ConfigReloader {
  readonly #options: ConfigReloaderOptions;
  #running: LlmServiceConfig;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: ConfigReloaderOptions) {
    this.#options = options;
    this.#running = options.config;
  }

  /** One at a time, in turn. Resolves when the new hosts have been probed; never rejects. */
  reload(trigger: ReloadTrigger): Promise<ReloadReport> {
    const report = this.#last.then(() => this.#reload(trigger));
    this.#last = report;
    return report;
  }

  async #reload(trigger: ReloadTrigger): Promise<ReloadReport> {
    const { logger, metrics } = this.#options;
    const report = await this.#attempt();
    const { outcome, changed, needRestart, faults } = report;
    metrics.ended(report);
    if (outcome === 'failed') {
      logger.error(
        { trigger, faults },
        'the configuration was loaded again and has faults: nothing is changed',
      );
      return report;
    }
    logger.info({ trigger, outcome, changed }, 'the configuration was loaded again');
    if (outcome === 'applied') warnOfUnreachedLimits(this.#running.llmService, logger);
    if (needRestart.length > 0)
      logger.warn({ settings: needRestart }, 'settings have changed that are not applied before a restart');
    return report;
  }

  async #attempt(): Promise<ReloadReport> {
    try {
      const loaded = this.#options.load();
      const { applicable, needRestart } = changedSettings(this.#running, loaded);
      if (applicable.includes(KEYS)) this.#replaceKeys(loaded.auth);
      if (applicable.some(isOfHosts)) await this.#apply(loaded.llmService.upstream);
      const outcome = applicable.length > 0 ? 'applied' : 'unchanged';
      return { outcome, changed: applicable, needRestart, faults: [] };
    } catch (error) {
      const faults = error instanceof ConfigError ? error.faults : [(error as Error).message];
      return { outcome: 'failed', changed: [], needRestart: [], faults };
    }
  }

  #replaceKeys(auth: LlmServiceConfig['auth']): void {
    this.#options.replaceKeys(auth.apiKeys);
    this.#running = { ...this.#running, auth };
  }

  async #apply(loaded: LlmServiceConfig['llmService']['upstream']): Promise<void> {
    const { llmService } = this.#running;
    const { maxConnections, connectTimeoutMs, proxy } = llmService.upstream;
    const upstream = { ...loaded, maxConnections, connectTimeoutMs, proxy };
    await this.#options.apply(upstream);
    this.#running = { ...this.#running, llmService: { ...llmService, upstream } };
  }
}
