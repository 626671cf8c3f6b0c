import { AppError } from '@morgan/foundation';
import type { BegunAttempt } from '@morgan/http-client';
import type { TransportResponse } from '@morgan/http-transport';
import type { Weight } from '../evidence/evidence.ts';
import { EVIDENCE } from '../evidence/evidence-table.ts';
import { OF_LOAD, type Outcome } from '../evidence/outcome.ts';
import type { Work } from '../hosts/history/pace.ts';
import type { Target } from '../routing/target.ts';
import type { CallLoad } from '../strategies/target-load.ts';
import { openResponse } from '../response/response-opening.ts';
import type { AttemptMode, AttemptParts } from './attempt-parts.ts';
import type { AttemptFailure, AttemptResult } from './attempt-result.ts';
import { attemptRequest, type CallRequest, mayRepeat, streamOptions, workOf } from './attempt-request.ts';
import { brokenResponse } from '../response/broken-response.ts';
import { isByCaller } from './call-limits.ts';
import { faultOf, noteFailure } from './failure-memory.ts';
import { firstTokenLimitMs } from './first-token-clock.ts';
import { requestIdOf } from '../response/error-response.ts';
import {
  isQueued,
  isStale,
  outcomeOfNoResponse,
  readErrorInResponse,
  readRefusal,
  refusesUsageOption,
  unreadable,
} from './attempt-failure.ts';

/** An attempt that has come out one way or the other. */
export interface EndedAttempt {
  readonly attempt: Attempt;
  readonly result: AttemptResult;
}

/** The timer of the limit may fire a little before it. */
const TIMER_SLACK_MS = 5;

/**
 * One try at one target, judged until its last byte. What it says of the host is booked once, by {@link Attempt.book}:
 * at once where that is clear, else when the call knows whether the request was to blame.
 */
export class Attempt {
  /** Resolves with its content, or when it has failed; never rejects. */
  readonly ended: Promise<EndedAttempt>;
  readonly #work: Work;
  readonly #tokens: number;
  readonly #load: CallLoad;
  readonly #aborter: AbortController | undefined;
  readonly #signal: AbortSignal;
  /** What the policies of the host know of it; none where they were not asked. */
  #begun: BegunAttempt | undefined;
  readonly #startedAt = performance.now();
  #sentAt: number | undefined;
  #isCancelled = false;
  #contentAfterMs: number | undefined;
  #isBooked = false;
  #endedAt: number | undefined;
  /** How it ended; none while it goes on. */
  outcome: Outcome | undefined;
  /** A limit ended it that its caller has shortened: that says no more than a caller who leaves. */
  isByCaller = false;
  /** The host had closed the kept connection of the first request. */
  hasResent = false;
  /** The host's own id of the request, once it has responded. */
  upstreamRequestId: string | undefined;

  constructor(
    readonly target: Target,
    readonly call: CallRequest,
    private readonly parts: AttemptParts,
    readonly mode: AttemptMode,
  ) {
    this.#work = workOf(call);
    this.#tokens = call.facts.tokens;
    this.#aborter = mode.mayLose ? new AbortController() : undefined;
    this.#signal = this.#aborter?.signal ?? mode.signal;
    if (this.#aborter) mode.signal.addEventListener('abort', this.#onAbort);
    if (mode.signal.aborted) this.#onAbort();
    if (mode.isPanic) parts.panic.started(target.host);
    target.host.stats.started();
    this.#load = target.pace.load.begin(this.#tokens, this.#startedAt, target.modelFor(call.facts.model));
    this.ended = this.#run();
  }

  /** How it ended, or is about to where nobody waits for it any more. None while it goes on. */
  get outcomeSoFar(): Outcome | undefined {
    const { signal } = this.mode;
    return this.outcome ?? (signal.aborted ? this.#outcomeOf(signal.reason) : undefined);
  }

  /** How long the host took or has been taking, in milliseconds; the time before that, in a queue of our own, is not its. */
  get tookMs(): number {
    return Math.max(0, (this.#endedAt ?? performance.now()) - (this.#askedAt ?? Infinity));
  }

  /** Since when the host can be at work: an upload takes as long as its caller needs for it. */
  get #askedAt(): number | undefined {
    return this.#sentAt && Math.max(this.#sentAt, this.call.upload?.completedAt ?? 0);
  }

  /** How long it was in a queue of our own, in milliseconds. */
  get queuedMs(): number {
    return (this.#sentAt ?? this.#endedAt ?? performance.now()) - this.#startedAt;
  }

  /** Takes the tokens that it really cost, where they are limited. */
  get settleTokens(): BegunAttempt['settleTokens'] {
    return this.#begun?.settleTokens;
  }

  /** Another attempt began first. */
  cancel(): void {
    this.#isCancelled = true;
    this.#aborter?.abort();
  }

  /**
   * Tells breaker and health what it says of the host. Only the first time counts; before its end it keeps its slot.
   * @param isHosts whether a fault is that of the host, and not of what was asked for there: else they hear nothing.
   */
  book(weight: Weight = EVIDENCE[this.outcome ?? 'ok'].weight, isHosts = true): void {
    if (this.#isBooked) return;
    this.#isBooked = true;
    if (weight === 'none') this.#load.excused();
    const { host, model } = this.target;
    const { facts } = this.call;
    const isTrial = host.policies.breaker.state === 'HALF_OPEN';
    const isFault = weight === 'fault' || (weight === 'weak' && (host.addWeakFault() || isTrial));
    const verdict = weight === 'success' ? 'success' : isFault && isHosts ? 'failure' : 'ignored';
    const overloaded = this.outcome !== undefined && OF_LOAD.has(this.outcome);
    if (this.outcome) this.#begun?.end({ verdict, overloaded });
    else this.#begun?.judge({ verdict, overloaded });
    if (isFault || weight === 'success') host.ended(model ?? facts.model, facts.path, isFault);
    if (isFault && this.outcome) host.stats.failed(this.outcome);
    if ((weight === 'fault' && isHosts) || weight === 'success') host.health.report(!isFault, this.tookMs);
    if (weight === 'weak') void host.checkNow();
    if (weight !== 'success') return;
    host.succeeded(model ?? facts.model, facts.path, this.#sentAt ?? performance.now());
    // The breaker did not let it through, so it does not learn from it either.
    if (this.mode.isPanic && !host.policies.breaker.isHeld) host.policies.breaker.reset();
  }

  async #run(): Promise<EndedAttempt> {
    let result: AttemptResult;
    try {
      const admission = this.#admission();
      if (admission) await admission;
      // What was over before is no work of the host.
      this.#signal.throwIfAborted();
      this.#sentAt = admission ? performance.now() : this.#startedAt;
      this.target.host.stats.sent();
      result = await this.#ask();
    } catch (cause) {
      result = { kind: 'failed', outcome: this.#outcomeOf(cause), cause };
    }
    if (result.kind === 'failed') this.#fail(result);
    else this.#begin(result);
    return { attempt: this, result };
  }

  /** Nothing to wait for where the host has no limits of ours. */
  #admission(): Promise<void> | undefined {
    const { maxQueueMs: maxWaitMs, isPanic: ignoresCircuit } = this.mode;
    const { policies } = this.target.host;
    // It is an estimate: where the call goes nowhere else one above the limit takes all of it.
    const tokens = maxWaitMs === 0 ? this.#tokens : Math.min(this.#tokens, policies.mostTokens);
    const request = { id: this.call.id, signal: this.#signal, tokens, maxWaitMs, ignoresCircuit };
    const begun = policies.begin(request);
    if (!(begun instanceof Promise)) return void (this.#begun = begun);
    return begun.then((admitted) => {
      this.#begun = admitted;
      this.#load.sent(performance.now());
    });
  }

  async #ask(): Promise<AttemptResult> {
    let response: TransportResponse;
    try {
      response = await this.#send();
    } catch (cause) {
      response = await this.#sendOnceMore(cause);
    }
    response = response.decoded(brokenResponse);
    this.upstreamRequestId = requestIdOf(response);
    this.parts.metrics?.responded(this.target.host, this.tookMs);
    return this.#read(response).catch((cause: unknown) => {
      response.discard();
      throw unreadable(cause);
    });
  }

  async #read(response: TransportResponse): Promise<AttemptResult> {
    const result = await this.#resultOf(response);
    // What we ask for beside what the caller does is no fault of the request: it is asked once more without that.
    return refusesUsageOption(this.call, this.target.host, result) ? this.#ask() : result;
  }

  async #resultOf(response: TransportResponse): Promise<AttemptResult> {
    const { call, target } = this;
    if (response.status >= 300) return readRefusal(response, target.host, call);
    const options = streamOptions(call, target, this.#askedAt ?? performance.now());
    const opening = await openResponse(response, options, call.isStream);
    if (opening.kind === 'content') return { ...opening, response };
    const { error, cause, outcome } = opening;
    if (error) return readErrorInResponse(response, { error, host: target.host, call });
    return { kind: 'failed', outcome: this.#lateOr(outcome), cause };
  }

  #send(freshConnection = false): Promise<TransportResponse> {
    const request = attemptRequest(this.call, this.target, this.#signal, freshConnection);
    return this.parts.transportOf(this.target).request(request);
  }

  /** The host had closed a kept connection, which says nothing of how it is: a new one has every chance. */
  #sendOnceMore(cause: unknown): Promise<TransportResponse> {
    const mayResend = this.mode.mayResend && isStale(cause) && mayRepeat(this.call);
    if (!mayResend || !this.parts.budget.take('retry')) throw cause;
    this.hasResent = true;
    return this.#send(true);
  }

  #begin({ body, stream }: Exclude<AttemptResult, AttemptFailure>): void {
    const now = performance.now();
    this.#contentAfterMs = now - (this.#askedAt ?? now);
    this.#load.began(now);
    this.target.pace.began(this.#contentAfterMs, this.#work, this.#tokens);
    const { host, model } = this.target;
    host.stats.begun(this.#contentAfterMs);
    // A stream may end long after that, and one refusal among many calls would count as the next in a row.
    host.began(model ?? this.call.facts.model, this.call.facts.path, this.#sentAt ?? now);
    this.parts.metrics?.began(host, this.#contentAfterMs);
    // A long stream must not keep everybody else waiting for the verdict of a trial, or for the end of a panic.
    if (this.mode.isPanic || host.policies.breaker.state === 'HALF_OPEN') this.book(this.#weightOfSuccess());
    if (stream)
      void stream.over.then((end) => {
        this.isByCaller = isByCaller(end, this.call.limits);
        this.#close(end === 'whole' ? 'ok' : this.#outcomeOf(end));
      });
    else if (body)
      body.once('close', () => this.#close(body.readableEnded ? 'ok' : this.#outcomeOf(body.errored)));
    else this.#close('ok');
  }

  #close(outcome: Outcome): void {
    this.#end(outcome);
    this.book(outcome === 'ok' ? this.#weightOfSuccess() : this.isByCaller ? 'none' : undefined);
    // Where it was booked before its end.
    this.#begun?.leave();
  }

  #fail(failure: AttemptFailure): void {
    this.isByCaller = isByCaller(failure.cause, this.call.limits);
    this.#end(failure.outcome);
    noteFailure(this, failure, this.parts);
    // What was refused, or never came there, was not computed.
    const isUnseen = this.#sentAt === undefined || failure.outcome === 'connect_error';
    if (isUnseen || failure.errorResponse) this.settleTokens?.(0);
    const isLate = this.tookMs >= this.parts.slowCallMs && this.#signal.aborted;
    if (isLate) this.book('fault');
    // Where answers take minutes this is one more; at a host that used to be quick its engine may have frozen.
    else if (failure.outcome === 'answer_timeout' || this.isByCaller)
      this.book(this.#isUnlikelyLong ? 'weak' : 'none');
    else if (!EVIDENCE[failure.outcome].mayBeRequest) this.book();
    else {
      // Whose doing it was is known when the call ends, which may itself wait for the slot.
      this.#begun?.leave();
      this.target.host.doubt();
    }
  }

  #end(outcome: Outcome): void {
    this.outcome = outcome;
    this.#endedAt = performance.now();
    if (this.#sentAt === undefined) this.#load.sent(this.#endedAt);
    const { host } = this.target;
    host.stats.ended();
    this.#load.ended(this.#endedAt, this.isByCaller ? undefined : faultOf(outcome));
    this.parts.metrics?.ended(host, outcome);
    if (this.mode.isPanic) this.parts.panic.ended(host);
    this.mode.signal.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => this.#aborter?.abort(this.mode.signal.reason);

  #weightOfSuccess(): Weight {
    return (this.#contentAfterMs ?? 0) >= this.parts.slowCallMs ? 'fault' : EVIDENCE.ok.weight;
  }

  /** What an end without a whole response is: of the host's doing, of ours or of the caller's. */
  #outcomeOf(cause: unknown): Outcome {
    // As long as it is not late, as in a queue of ours, that says nothing of the host.
    if (this.#isCancelled) return this.#isOverdue && !isQueued(cause) ? 'outrun' : 'cancelled';
    if (cause !== undefined && cause === this.mode.signal.reason && !(cause instanceof AppError))
      return 'aborted';
    const hasContent = this.#contentAfterMs !== undefined;
    const outcome = this.#lateOr(outcomeOfNoResponse(cause, hasContent));
    if (outcome !== 'aborted' && outcome !== 'expired') return outcome;
    return this.#isUnlikelyLong && !hasContent && !isQueued(cause) ? 'impatient' : outcome;
  }

  /** By the history of the target, and for so long a prompt. As long as a caller has not sent all, the host waits as well. */
  get #isUnlikelyLong(): boolean {
    if (this.call.upload?.isComplete === false) return false;
    return this.tookMs > this.parts.usualSilenceMs(this.target, this.#work, this.#tokens);
  }

  /** It has been silent for so long that another was asked. */
  get #isOverdue(): boolean {
    return this.tookMs + TIMER_SLACK_MS >= firstTokenLimitMs(this.target, this.call, this.parts);
  }

  /** A response that is not streamed takes as long as it takes: no second run of the same work elsewhere. */
  #lateOr(outcome: Outcome): Outcome {
    const isLate = (outcome === 'timeout' || outcome === 'stalled') && !this.call.isStream;
    return isLate ? 'answer_timeout' : outcome;
  }
}
