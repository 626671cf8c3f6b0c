import type { ReportedError } from '@morgan/host-errors';
import { EVIDENCE } from '../evidence/evidence-table.ts';
import type { Outcome } from '../evidence/outcome.ts';
import type { Attempt } from './attempt.ts';

/** The call was over for its caller, who had left or set it a time, while a host was at it. */
const LEFT: ReadonlySet<Outcome | undefined> = new Set<Outcome>(['aborted', 'expired', 'impatient']);

/** What took less was over before a host had seen it, in milliseconds. */
const LEAST_WORK_MS = 1;

/** One try, for logs. */
export interface AttemptSummary {
  readonly host: string;
  /** As docs/evidence.md names it; one that has begun to answer counts as `ok` until it breaks or its caller leaves. */
  readonly outcome: string;
  readonly ms: number;
  /** The host's own id of the request, where it gave one other than ours. */
  readonly upstreamRequestId?: string;
}

/**
 * All attempts of a call in the order in which they began. Whoever writes a line about the call makes it and hands it in:
 * it is read when the line is written, so that a stream's end is in it, and a line that is not written costs nothing.
 */
export class AttemptLog {
  readonly #attempts: Attempt[] = [];
  readonly #errors: ReportedError[] = [];

  add(attempt: Attempt): void {
    this.#attempts.push(attempt);
  }

  /** Takes what a host has said that went wrong, if it has. */
  heard(error: ReportedError | undefined): void {
    if (error) this.#errors.push(error);
  }

  /** What hosts have said that went wrong, also where the caller hears something else. */
  get errors(): readonly ReportedError[] {
    return this.#errors;
  }

  /** Whether a host was at work when the caller left, or when the time of the call, or a limit of its caller's own, was over. */
  get wasLeft(): boolean {
    return this.#attempts.some(
      ({ outcomeSoFar: outcome, isByCaller, tookMs }) =>
        (LEFT.has(outcome) || (isByCaller && outcome !== 'connect_error')) && tookMs >= LEAST_WORK_MS,
    );
  }

  get count(): number {
    return this.#attempts.length;
  }

  /** Whether another host may do better: none was asked, or what the last one said is nothing about the request. */
  get mayGoElsewhere(): boolean {
    const last = this.#attempts.at(-1);
    return !last || EVIDENCE[last.outcomeSoFar ?? 'ok'].next === 'next target';
  }

  toJSON(): AttemptSummary[] {
    return this.#attempts.map(summaryOf);
  }
}

/** An attempt in short. */
export function summaryOf(attempt: Attempt): AttemptSummary {
  const { target, outcomeSoFar: outcome = 'ok', tookMs, upstreamRequestId, call } = attempt;
  return {
    host: target.host.name,
    outcome,
    ms: Math.round(tookMs),
    ...(upstreamRequestId !== undefined && upstreamRequestId !== call.id && { upstreamRequestId }),
  };
}
