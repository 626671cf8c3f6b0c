import { setTimeout as delay } from 'node:timers/promises';
import { type AppError, type CallContext, callStopped, spreadWaitMs } from '@morgan/foundation';
import { EVIDENCE } from '../evidence/evidence-table.ts';
import type { Outcome } from '../evidence/outcome.ts';
import type { Unfit } from '../routing/fitting-target.ts';
import type { Target } from '../routing/target.ts';
import { type Choice, type ChoiceInput, isAlone } from '../routing/target-selector.ts';
import { Attempt, type EndedAttempt } from '../attempt/attempt.ts';
import type { AttemptFailure, AttemptResult } from '../attempt/attempt-result.ts';
import { bookOpen, type FailedAttempt, isAboutRequest, isKnownFailure, mayBeHosts } from './blame.ts';
import { mayRepeat } from '../attempt/attempt-request.ts';
import { callCannotGoOn } from './call-error.ts';
import type { CallInput, CallParts } from './call-parts.ts';
import { FirstTokenClock, firstTokenLimitMs } from '../attempt/first-token-clock.ts';
import { summaryOf } from '../attempt/attempt-log.ts';
import { type HostResponse, responseOf } from './host-response.ts';
import { responseOfFailedCall } from './failed-call.ts';
import { OwnQueues } from './own-queues.ts';

/** A pause before the same target is asked again, at random up to twice this, in milliseconds. */
const REPEAT_PAUSE_MS = 100;

/**
 * The least time of a second wait, in milliseconds, and what it grows to with further ones, doubling: a host may be full again right
 * behind the moment that it names, milliseconds away, and one call would use up the attempts of all.
 */
const LEAST_WAIT_MS = { first: 100, longest: 1_000 };

/** Another try there would take as long: a target that is alone is not asked again. */
const TAKES_ITS_TIME: ReadonlySet<Outcome> = new Set(['timeout', 'stalled']);

/**
 * One call: attempts at targets, one after the other, until one has content to hand out. A streamed call whose first
 * token is late tries a second target beside the first; whichever begins first is handed out.
 */
export class Call {
  readonly #parts: CallParts;
  readonly #input: CallInput;
  readonly #context: CallContext;
  readonly #attempts: Attempt[] = [];
  readonly #failed: FailedAttempt[] = [];
  readonly #tried = new Set<Target>();
  readonly #queues = new OwnQueues();
  readonly #isPoisonous: boolean;
  readonly #mayPanic: boolean;
  #mayWaitMs: number;
  #leastWaitMs = 0;
  readonly #unfit: Unfit[] = [];
  #hasRepeated = false;
  #wentOnFrom: FailedAttempt | undefined;
  readonly #running = new Set<Attempt>();
  #pauseMs = 0;
  #clock: FirstTokenClock | undefined;

  constructor(parts: CallParts, input: CallInput, context: CallContext) {
    this.#parts = parts;
    this.#input = input;
    this.#context = context;
    this.#mayWaitMs = parts.maxRetryAfterWaitMs;
    this.#isPoisonous = parts.memory.has(this.#memorized);
    this.#mayPanic = parts.attempts.panic.lets();
  }

  /** @throws AppError in the gateway's own words where no host said anything, or the call was stopped. */
  async run(): Promise<HostResponse> {
    try {
      for (;;) {
        const input = this.#choiceInput();
        const choice = this.#parts.selector.choose(input);
        if (choice.kind === 'none' || !this.#mayGoOn(choice)) return this.#giveUp();
        if (choice.kind === 'wait') await this.#wait(choice);
        else {
          this.#start(choice, input);
          const response = await this.#untilResponse();
          if (response) return response;
        }
      }
    } finally {
      this.#clock?.stop();
      this.#log();
    }
  }

  /** The attempt that has content first is handed out. @returns nothing when all that run have failed, and there is a next step. */
  async #untilResponse(): Promise<HostResponse | undefined> {
    for (;;) {
      const ended = await this.#nextToEnd();
      if (!ended) {
        this.#hedge();
        continue;
      }
      const { attempt, result } = ended;
      this.#running.delete(attempt);
      if (result.kind === 'content') return this.#deliver(attempt, result);
      const { outcome } = result;
      const isQueued = outcome === 'limited' && attempt.mode.maxQueueMs !== undefined;
      const goesOn = isQueued && EVIDENCE[outcome].next === 'next target';
      const response = goesOn ? this.#queueLater(attempt) : this.#note(attempt, result);
      if (response) return response;
      if (this.#running.size > 0) continue;
      await this.#pause();
      return undefined;
    }
  }

  /** @returns nothing when the first token is late. */
  #nextToEnd(): Promise<EndedAttempt | undefined> {
    const running = [...this.#running];
    // As nearly always.
    if (!this.#clock && running.length === 1) return (running[0] as Attempt).ended;
    const ends = running.map(({ ended }) => ended);
    return Promise.race(this.#clock ? [...ends, this.#clock.late] : ends);
  }

  /** @returns what the caller gets, where a failure ends the call. */
  #note(attempt: Attempt, failure: AttemptFailure): HostResponse | undefined {
    const { outcome, cause } = failure;
    this.#failed.push({ attempt, failure });
    this.#input.log?.heard(failure.errorResponse?.error);
    const { about, next, mayBeRequest } = EVIDENCE[outcome];
    const isOurs = about === 'caller' || about === 'this process';
    const { signal } = this.#context;
    // Whatever the attempt came to meanwhile.
    if (signal.aborted) throw this.#stopped(callStopped(signal));
    if (isOurs && next === 'return') throw this.#stopped(callCannotGoOn(cause));
    // One that says so as a fault of its own is less sure of it: any other may be asked.
    if (next === 'next fitting target' && (failure.errorResponse?.status ?? 0) < 500)
      this.#unfit.push({ target: attempt.target, outcome, error: failure.errorResponse?.error });
    const isOver =
      next === 'return' &&
      !mayBeHosts(this.#failed) &&
      !(outcome === 'answer_timeout' && this.#input.route.repeatSlowAnswers);
    if (isOver || isAboutRequest(this.#failed)) return this.#giveUp();
    if (
      mayBeRequest &&
      !TAKES_ITS_TIME.has(outcome) &&
      !this.#hasRepeated &&
      !failure.errorResponse?.isFinal &&
      isAlone(attempt.target, this.#input.route, this.#input.request.facts)
    ) {
      this.#hasRepeated = true;
      this.#tried.delete(attempt.target);
      this.#pauseMs = REPEAT_PAUSE_MS * (1 + Math.random());
    }
    return undefined;
  }

  #start({ target, isPanic }: Choice & { kind: 'ask' }, input: ChoiceInput): void {
    const { request, route } = this.#input;
    const last = this.#failed.at(-1);
    // Neither a second attempt beside one nor another one after a queue of ours goes on from a further failure.
    if (last && last !== this.#wentOnFrom) this.#parts.metrics?.failedOver(last.failure.outcome);
    this.#wentOnFrom = last;
    // Pictures and speech have no first token that could be late: they take their time, and each is paid for.
    const mayLose =
      request.isStream &&
      request.dialect.hasEnd &&
      route.tiers.some(({ targets }) => targets.length > 1 || route.tiers.length > 1);
    // A host that resets whatever it is sent looks as if its kept connections were at fault: once is enough.
    const mayResend = !this.#attempts.some((earlier) => earlier.target === target && earlier.hasResent);
    const { signal } = this.#context;
    const mode = { signal, isPanic, mayLose, maxQueueMs: this.#maxQueueMs(target, input), mayResend };
    const attempt = new Attempt(target, request, this.#parts.attempts, mode);
    this.#tried.add(target);
    this.#attempts.push(attempt);
    this.#input.log?.add(attempt);
    this.#running.add(attempt);
    if (mayLose)
      this.#clock ??= new FirstTokenClock(firstTokenLimitMs(target, request, this.#parts.attempts));
  }

  #maxQueueMs(target: Target, input: ChoiceInput): number | undefined {
    return target.host.policies.mayQueue ? this.#queues.maxWaitMs(target, input) : undefined;
  }

  /** No host has seen it: it counts for nothing but the time, and its target is asked after others. */
  #queueLater(attempt: Attempt): void {
    this.#attempts.splice(this.#attempts.indexOf(attempt), 1);
    this.#tried.delete(attempt.target);
    this.#queues.left(attempt.target);
    this.#mayWaitMs = Math.max(0, this.#mayWaitMs - attempt.queuedMs);
  }

  #hedge(): void {
    this.#clock?.stop();
    const input = this.#choiceInput();
    const choice = this.#parts.selector.chooseSpare(input);
    if (choice.kind === 'ask' && this.#parts.budget.take('hedge')) this.#start(choice, input);
  }

  #deliver(attempt: Attempt, content: AttemptResult & { kind: 'content' }): HostResponse {
    this.#ended(true);
    return responseOf(attempt, content, { attempts: this.#attempts, route: this.#input.route });
  }

  #giveUp(): HostResponse {
    this.#ended(false);
    return responseOfFailedCall({ ...this.#input, attempts: this.#attempts, failed: this.#failed });
  }

  /** What is still open is booked, and what still runs is cancelled. */
  #ended(hasResponse: boolean): void {
    for (const attempt of this.#running) attempt.cancel();
    this.#running.clear();
    if (this.#failed.length === 0 && !this.#isPoisonous) return;
    const [request, failed, isPoisonous] = [this.#memorized, this.#failed, this.#isPoisonous];
    bookOpen({ request, failed, hasResponse, isPoisonous }, this.#parts.memory);
  }

  #stopped(error: AppError): AppError {
    this.#ended(false);
    return error;
  }

  #choiceInput(): ChoiceInput {
    const { route, traits, request } = this.#input;
    const remainingMs = this.#context.deadline?.remainingMs() ?? Infinity;
    return {
      route,
      traits,
      facts: request.facts,
      tried: this.#tried,
      queued: this.#queues.met,
      isPoisonous: this.#isPoisonous,
      unfit: this.#unfit,
      mayWaitMs: Math.min(this.#mayWaitMs, remainingMs),
      remainingMs,
      mayPanic: this.#mayPanic,
    };
  }

  /** Every attempt after the first takes from a budget: what requests are to blame for must not use up that of others. */
  #mayGoOn(choice: Choice): boolean {
    const { budget: usual, poisonBudget, memory } = this.#parts;
    const isRequests = isKnownFailure(this.#failed.at(-1), memory) || mayBeHosts(this.#failed);
    const budget = isRequests ? poisonBudget : usual;
    if (this.#attempts.length === 0 && !this.#input.request.takesUp) return true;
    if (!mayRepeat(this.#input.request)) return false;
    if (choice.kind === 'wait') return budget.allows();
    const isRepeated = choice.kind === 'ask' && this.#attempts.some(({ target }) => target === choice.target);
    return budget.take(isRepeated ? 'retry' : 'fallback');
  }

  async #wait({ ms: saidMs, target }: Choice & { kind: 'wait' }): Promise<void> {
    const remainingMs = this.#context.deadline?.remainingMs() ?? Infinity;
    const ms = Math.max(saidMs, Math.min(this.#leastWaitMs, this.#mayWaitMs, remainingMs / 2));
    this.#leastWaitMs = Math.min(Math.max(2 * ms, LEAST_WAIT_MS.first), LEAST_WAIT_MS.longest);
    this.#mayWaitMs -= ms;
    this.#parts.metrics?.waited(ms);
    // Those who wait for the same moment do not all come in it, and who comes late sees what became of the first.
    const leftMs = remainingMs - ms;
    await this.#sleep(Math.ceil(Math.min(spreadWaitMs(ms), ms + leftMs / 2)));
    this.#tried.delete(target);
  }

  async #pause(): Promise<void> {
    const pauseMs = this.#pauseMs;
    this.#pauseMs = 0;
    if (pauseMs > 0) await this.#sleep(pauseMs);
  }

  async #sleep(ms: number): Promise<void> {
    const { signal } = this.#context;
    try {
      await delay(ms, undefined, { signal });
    } catch {
      throw this.#stopped(callStopped(signal));
    }
  }

  get #memorized(): { path: string; body: Buffer | undefined } {
    const { facts, body, upload } = this.#input.request;
    return { path: facts.path, body: body ?? upload?.head };
  }

  /** What callers do wrong, and that they leave, is no news for whoever watches hosts and this process. */
  #log(): void {
    if (this.#failed.length === 0) return;
    const attempts = this.#attempts.map(summaryOf);
    const cause = this.#failed.at(-1)?.failure.cause;
    const fields = { requestId: this.#context.id, attempts, cause };
    const { logger } = this.#parts;
    if (this.#failed.some(isOurs)) logger.warn(fields, 'a call met failing hosts');
    else logger.debug(fields, 'a call ended by its own fault or its caller');
  }
}

/** Whether operators can do something about it. */
function isOurs({ failure: { outcome } }: FailedAttempt): boolean {
  const { about } = EVIDENCE[outcome];
  return about !== 'caller' && about !== 'request';
}
