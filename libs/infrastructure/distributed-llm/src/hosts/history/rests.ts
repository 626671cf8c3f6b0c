import { LatestMap } from '@morgan/foundation';
import type { RestRule } from '../../evidence/evidence.ts';
import type { Outcome } from '../../evidence/outcome.ts';
import type { ErrorResponse } from '../../response/error-response.ts';

/** A host, a host + model or a host + path that is passed over for a while. */
export interface Rest {
  readonly outcome: Outcome;
  /** When it ends, on the clock of `performance.now()`. */
  readonly until: number;
  /** The host asked for it: nothing is sent before its end. Other rests only put a target behind the others. */
  readonly binding: boolean;
  /** How many of them in a row: 1 for one that does not follow another. */
  readonly times: number;
  /** What the host said, for callers who come meanwhile. */
  readonly errorResponse: ErrorResponse | undefined;
}

/** What a new rest is made of. */
interface NewRest {
  readonly outcome: Outcome;
  readonly rule: RestRule;
  /** The time that the host asked for. */
  readonly saidMs: number | undefined;
  readonly errorResponse: ErrorResponse | undefined;
}

interface Entry extends Rest {
  readonly since: number;
  /** When the one before it in the row was over. */
  readonly afterRest: number;
  /** How long it is where nothing has failed just before, in milliseconds. */
  readonly firstMs: number;
}

/** Models are named by callers: only the latest so many rests are remembered. */
const MOST_ENTRIES = 1_000;
/** A rest as long as the one that is over must pass in peace, or the next one is longer. */
const GROWTH = 2;

/** What is passed over at the moment, by key. Memory is bounded: the entries that were touched last stay. */
export class Rests {
  readonly #entries = new LatestMap<string, Entry>(MOST_ENTRIES);

  /** @param maxMs no rest is longer, whatever a host says. */
  constructor(private readonly maxMs: number) {}

  get size(): number {
    return this.#entries.size;
  }

  /** @returns whether nothing of the kind is remembered of the time since the last success. */
  begin(key: string, { outcome, rule, saidMs: asked, errorResponse }: NewRest): boolean {
    const now = performance.now();
    // "At once" is what a host says that does not know: it is full all the same.
    const saidMs = asked === 0 ? undefined : asked;
    const before = this.#entries.get(key);
    // Calls that were on their way together meet the same wall: that is one event, not several in a row.
    const isSaidAnew = saidMs !== undefined && (!before?.binding || saidMs + now > before.until);
    if (before && before.until > now && !isSaidAnew) return false;
    const growing = before && before.outcome === outcome && now < before.until + this.#lengthOf(before, rule);
    const times = growing ? before.times + 1 : 1;
    const ownMs = Math.min(rule.firstMs * GROWTH ** (times - 1), rule.maxMs);
    const until = now + Math.min(saidMs ?? ownMs, this.maxMs);
    const afterRest = growing ? before.until : now;
    const row = { since: now, times, afterRest, firstMs: rule.firstMs };
    const entry: Entry = { outcome, until, binding: saidMs !== undefined, errorResponse, ...row };
    this.#entries.set(key, entry);
    return before?.outcome !== outcome;
  }

  /** A time that a host asked for, as long as it is passed over at most. */
  bounded(saidMs: number | undefined): number | undefined {
    return saidMs === undefined ? undefined : Math.min(saidMs, this.maxMs);
  }

  /** The rest that is going on. */
  of(key: string): Rest | undefined {
    const entry = this.#entries.get(key);
    return entry && entry.until > performance.now() ? entry : undefined;
  }

  /** The rests that are going on and began after that time, by `performance.now()`. */
  since(time: number): Rest[] {
    const now = performance.now();
    return [...this.#entries.values()].filter(({ since, until }) => since > time && until > now);
  }

  /** All rests that are going on. */
  list(): { of: string; outcome: Outcome; remainingMs: number }[] {
    const now = performance.now();
    return [...this.#entries]
      .filter(([, { until }]) => until > now)
      .map(([of, { outcome, until }]) => ({ of, outcome, remainingMs: Math.ceil(until - now) }));
  }

  /**
   * A request succeeded. If it was sent after the rest began, the rest is over. If it was sent before, the limit that was met since
   * is still there, but not for all calls: then the rest is as long as a first one.
   * @param sentAt when what succeeded was sent.
   */
  end(key: string, sentAt: number): void {
    const entry = this.#entries.get(key);
    if (!entry || sentAt < entry.afterRest) return;
    if (entry.since <= sentAt) this.#entries.delete(key);
    else if (!entry.binding)
      this.#entries.set(key, {
        ...entry,
        until: Math.min(entry.until, entry.since + entry.firstMs),
        times: 1,
        afterRest: entry.since,
      });
  }

  endAll(): void {
    this.#entries.clear();
  }

  #lengthOf({ times }: Entry, rule: RestRule): number {
    return Math.min(rule.firstMs * GROWTH ** (times - 1), rule.maxMs);
  }
}
