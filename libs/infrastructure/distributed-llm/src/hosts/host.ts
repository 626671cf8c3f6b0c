import type { CircuitStatus } from '@morgan/circuit-breaker';
import type { TargetStatus } from '@morgan/health-monitor';
import type { AttemptPolicies, AttemptPoliciesStatus } from '@morgan/http-client';
import { countsTokens } from '@morgan/llm-protocol';
import { Excuses } from './history/excuses.ts';
import { type FaultOf, FaultRuns } from './history/fault-runs.ts';
import { HostAddress } from './host-address.ts';
import { HostHealth, type HostHealthOptions } from './host-health.ts';
import { HalfFailures } from './history/half-failures.ts';
import type { LlmHost } from './host-list.ts';
import { type HostFigures, HostStats } from './history/host-stats.ts';
import { ModelList } from './model-list.ts';
import { Pace } from './history/pace.ts';
import { RefusalRuns } from './history/refusal-runs.ts';
import { type Rest, Rests } from './history/rests.ts';

/** Whether a host takes part. A draining one finds its calls to an end and gets no new ones; a disabled one is not probed either. */
export const HOST_MODES = ['enabled', 'draining', 'disabled'] as const;
type HostMode = (typeof HOST_MODES)[number];

/** What can be said about one host right now. */
export interface HostStatus extends HostFigures {
  readonly name: string;
  readonly mode: HostMode;
  readonly weight: number;
  readonly models: readonly string[];
  /** None of a host that is not probed. */
  readonly health?: TargetStatus;
  readonly circuit: CircuitStatus;
  /** Its limits, where it has any. */
  readonly limits: Omit<AttemptPoliciesStatus, 'circuitBreaker'>;
  /** What it is passed over for at the moment, the whole host or a model or a path of it. */
  readonly rests: readonly { readonly of: string; readonly outcome: string; readonly remainingMs: number }[];
}

/** What a host is made with. */
interface HostParts extends HostHealthOptions {
  readonly policies: AttemptPolicies;
  readonly maxRestMs: number;
  /** The host in whose place it is, at the same URL: the calls that are under way there go on. */
  readonly before?: Host | undefined;
}

/** Open faults and unlikely silences in a row that put a host behind the others. */
const MOST_DOUBTS = 3;
/** How long doubts keep a host behind the others, in milliseconds. */
const DOUBT_MS = 10_000;
/** Two weak faults make one. */
const WEAK_PER_FAULT = 2;

/** One host and everything that is known of it: what it serves, how it is, what it rests from. */
export class Host {
  readonly name: string;
  readonly options: LlmHost;
  readonly address: HostAddress;
  readonly models = new ModelList();
  readonly stats: HostStats;
  readonly policies: AttemptPolicies;
  readonly health: HostHealth;
  readonly rests: Rests;
  readonly excuses = new Excuses();
  readonly #halfFailures = new HalfFailures();
  readonly #faults = new FaultRuns();
  readonly #refusals = new RefusalRuns();
  readonly #paces: Map<string | undefined, Pace>;
  weight: number;
  /** Whether it takes `stream_options.include_usage`, until it refuses that by name. */
  takesUsageOption = true;
  #mode: HostMode = 'enabled';
  #isFine = false;
  #answeredAt = -Infinity;
  #doubts = 0;
  #doubtedAt = -Infinity;
  #weak = 0;

  constructor(options: LlmHost, { before, ...parts }: HostParts) {
    this.name = options.name;
    this.options = options;
    this.weight = options.weight;
    this.address = new HostAddress(options);
    this.stats = before?.stats ?? new HostStats();
    this.#paces = before ? before.#paces : new Map<string | undefined, Pace>();
    this.policies = parts.policies;
    this.rests = new Rests(parts.maxRestMs);
    this.health = new HostHealth(this, parts);
  }

  get mode(): HostMode {
    return this.#mode;
  }

  /** When it last began an answer, on the clock of `performance.now()`. */
  get answeredAt(): number {
    return this.#answeredAt;
  }

  /** Operators have neither taken it out nor hold its breaker open: one that does not take part is not asked in a panic either. */
  get takesPart(): boolean {
    return this.#mode === 'enabled' && !this.isHeldOpen;
  }

  /** By an operator. */
  get isHeldOpen(): boolean {
    const { breaker } = this.policies;
    return breaker.isHeld && breaker.state === 'OPEN';
  }

  /** Takes part again, from where it was. */
  enable(): Promise<void> {
    const wasOff = this.#mode === 'disabled';
    this.#mode = 'enabled';
    return wasOff ? this.health.start() : Promise.resolve();
  }

  drain(): void {
    this.#mode = 'draining';
  }

  disable(): void {
    this.#mode = 'disabled';
    this.health.stop();
  }

  /** Probes it at once, unless it is disabled. Never rejects. */
  checkNow(): Promise<void> {
    return this.#mode === 'disabled' ? Promise.resolve() : this.health.checkNow();
  }

  /** By the model that a route asks for there; none where callers name any. Routes are configured, so there are few. */
  paceOf(model: string | undefined): Pace {
    let pace = this.#paces.get(model);
    if (!pace) this.#paces.set(model, (pace = new Pace()));
    return pace;
  }

  /** Prompt tokens of the calls that have not begun to answer, whatever route they took: models of one host share it. */
  get tokensInFlight(): number {
    let tokens = 0;
    for (const { load } of this.#paces.values()) tokens += load.tokensInFlight;
    return tokens;
  }

  /**
   * Whether other hosts are asked first for such a request: after several faults or silences of which it is not known yet what they
   * were about, while half of such requests fail, or after a row of refusals.
   */
  isDoubtful(model: string | undefined, path: string): boolean {
    const hasOpen = this.#doubts >= MOST_DOUBTS && performance.now() - this.#doubtedAt < DOUBT_MS;
    const kind = restKey.kind(model, path);
    return hasOpen || this.#halfFailures.has(kind) || this.#refusals.isRecent(kind);
  }

  doubt(): void {
    this.#doubts += 1;
    this.#doubtedAt = performance.now();
  }

  /** Whether it answered another request since it failed at one: asked once for each that it failed at. */
  wasFine(): boolean {
    const wasFine = this.#isFine;
    this.#isFine = false;
    return wasFine;
  }

  /**
   * Such a request has ended in a way that says something of the host. While the breaker is not closed it decides alone, and this
   * count begins anew.
   */
  ended(model: string | undefined, path: string, hasFailed: boolean): void {
    if (this.policies.breaker.state === 'CLOSED')
      this.#halfFailures.ended(restKey.kind(model, path), hasFailed);
    else this.#halfFailures.clear();
  }

  /** Such a request, sent at that time, was answered to its end. */
  succeeded(model: string | undefined, path: string, sentAt: number): void {
    this.#isFine = true;
    this.#doubts = 0;
    this.#weak = 0;
    this.excuses.succeeded(model);
    const kind = restKey.kind(model, path);
    this.#refusals.end(kind);
    this.#faults.succeeded(kind, sentAt);
    this.began(model, path, sentAt);
  }

  /** Such a request, sent at that time, has content: rests that began before that are over. */
  began(model: string | undefined, path: string, sentAt: number): void {
    this.#answeredAt = performance.now();
    if (this.rests.size === 0) return;
    for (const key of keysOf(model, path)) this.rests.end(key, sentAt);
  }

  /** Such a request failed. @returns what the fault counts against: the kind of request may cause it. */
  faulted(model: string | undefined, path: string): FaultOf {
    return this.#faults.add(restKey.kind(model, path));
  }

  /** Such a request was refused in a way in which a host that is set up wrong refuses every request. */
  refused(model: string | undefined, path: string): void {
    this.#refusals.add(restKey.kind(model, path));
  }

  /** Whether it has refused so many such requests in a row that the next one may be good elsewhere. */
  refusesAll(model: string | undefined, path: string): boolean {
    return this.#refusals.isLong(restKey.kind(model, path));
  }

  /** One of the open faults has been judged. */
  decide(): void {
    this.#doubts = Math.max(0, this.#doubts - 1);
  }

  /** Counts one more unlikely silence. @returns whether it is a fault together with those before it. */
  addWeakFault(): boolean {
    this.doubt();
    this.#weak = (this.#weak + 1) % WEAK_PER_FAULT;
    return this.#weak === 0;
  }

  /** The rest that covers such a request: that of the model, of the path, or of both together. */
  restFor(model: string | undefined, path: string): Rest | undefined {
    if (this.rests.size === 0) return undefined;
    const found = keysOf(model, path)
      .map((key) => this.rests.of(key))
      .filter((rest) => rest !== undefined);
    return found.find(({ binding }) => binding) ?? found[0];
  }

  getStatus(): HostStatus {
    const health = this.health.status;
    const { circuitBreaker: circuit, ...limits } = this.policies.getStatus();
    return {
      name: this.name,
      mode: this.#mode,
      weight: this.weight,
      ...this.stats.figures(),
      models: this.models.objects.map(({ id }) => id),
      ...(health && { health }),
      circuit,
      limits,
      rests: this.rests.list(),
    };
  }
}

/** The keys of a host's rests. Where tokens are only counted a model has limits of its own: no answer waits for those, nor they for an answer. */
export const restKey = {
  model: (model: string | undefined, path: string) =>
    `model ${model ?? ''}${countsTokens(path) ? ` ${restKey.path(path)}` : ''}`,
  path: (path: string) => `path ${path}`,
  /** All that is asked alike. */
  kind: (model: string | undefined, path: string) => `path ${path} model ${model ?? ''}`,
};

function keysOf(model: string | undefined, path: string): string[] {
  return [restKey.model(model, path), restKey.path(path), restKey.kind(model, path)];
}
