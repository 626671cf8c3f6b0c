import { setTimeout as delay } from 'node:timers/promises';
import { ask, isGood, type Seen } from './caller.ts';
import type { CaseDescription } from './case-description.ts';
import type { GatewayWatch } from './gateway-watch.ts';
import { type Behaviour, type FaultHost, GOOD } from './fault-host.ts';
import type { Seed } from './seed.ts';
import { callersInShort, hostInShort } from './table.ts';
import { type Expected, missesOf, type Result } from './verdict.ts';

/** What a stage is made of. */
interface StageParts {
  readonly definition: CaseDescription;
  readonly origin: string;
  /** The process of the gateway. */
  readonly pid: number;
  readonly hosts: readonly FaultHost[];
  readonly seed: Seed;
  /** A model that only a host without trouble serves; none where there is none. */
  readonly control?: string | undefined;
  readonly watch: GatewayWatch;
}

/** How the next caller asks. */
interface Caller {
  readonly isStream?: boolean;
  readonly patienceMs?: number;
  /** Stands in its text. */
  readonly says?: string;
  /** Further fields of its request. */
  readonly more?: object;
  /** Hears of all that came so far, with each piece. */
  readonly onText?: (text: string) => void;
}

/** How often the primary is asked for after its recovery, in milliseconds; where times are a tenth, more often. */
const POLL_MS = 400;
const SCALED_POLL_MS = 100;
/** A healthy call is answered within so long, in milliseconds. */
export const PROMPT_MS = 2_000;

/** Where a case happens: its hosts, and callers who ask for them through the gateway. */
export class Stage {
  readonly seed: Seed;
  readonly misses: string[] = [];
  readonly #parts: StageParts;
  readonly #seen: Seen[] = [];
  readonly #startedAt = performance.now();
  #calls = 0;
  #since = performance.now();
  #backMs: number | undefined;

  constructor(parts: StageParts) {
    this.#parts = parts;
    this.seed = parts.seed;
  }

  get primary(): FaultHost {
    return this.#parts.hosts[0] as FaultHost;
  }

  host(at: number): FaultHost {
    return this.#parts.hosts[at] as FaultHost;
  }

  /** What callers saw in the trouble so far. */
  get seen(): readonly Seen[] {
    return this.#seen;
  }

  get pid(): number {
    return this.#parts.pid;
  }

  get hosts(): readonly FaultHost[] {
    return this.#parts.hosts;
  }

  /** The trouble begins: what hosts see is counted from here. */
  async begin(behaviour: Behaviour, host = this.primary): Promise<void> {
    this.#since = performance.now();
    await host.behave(behaviour);
  }

  /** One call, held against what is promised where that is given. */
  async call(caller: Caller, expected?: Expected): Promise<Seen> {
    const seen = await this.#ask(caller);
    this.#seen.push(seen);
    if (expected) {
      const tookMs = this.#ownMs(seen.at, seen.at + seen.tookMs);
      this.misses.push(...missesOf({ ...seen, tookMs }, this.attemptsOf(seen), expected));
    }
    return seen;
  }

  attemptsOf({ caller }: Seen): number {
    return this.#parts.hosts.reduce((sum, host) => sum + host.seenOf(caller).length, 0);
  }

  /** Calls one after the other, every second one streamed, with pauses from the seed. */
  async calls(count: number, caller: Caller, expected?: Expected): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      await this.call({ isStream: index % 2 === 1, ...caller }, expected);
      await this.pause(5, 60);
    }
  }

  /** Calls all at once. */
  async crowd(count: number, caller: Caller, expected?: Expected): Promise<void> {
    const calls = Array.from({ length: count }, (_, index) =>
      this.call({ isStream: index % 2 === 1, ...caller }, expected),
    );
    await Promise.all(calls);
  }

  /** Good answers while all is well, not counted as what callers saw in trouble. */
  async warm(count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      const seen = await this.#ask({ isStream: index % 2 === 1 });
      if (!isGood(seen))
        this.misses.push(`before the trouble: ${seen.status} ${seen.end} ${seen.text.slice(0, 80)}`);
    }
  }

  /** A call for something that is well succeeds beside the trouble. */
  async beside(): Promise<void> {
    const { control: model, origin } = this.#parts;
    if (model === undefined) return;
    const seen = await ask({
      origin,
      model,
      caller: `beside ${this.#calls}`,
      isStream: this.seed.next() < 0.5,
    });
    const tookMs = this.#ownMs(seen.at, seen.at + seen.tookMs);
    if (!isGood(seen) || tookMs > PROMPT_MS)
      this.misses.push(`a healthy call beside: ${seen.status} ${seen.end} in ${Math.round(tookMs)} ms`);
  }

  /** All is well again: callers ask on until the primary answers one. Meanwhile each gets a good response where others can give it. */
  async untilBack({ withinMs, others }: { withinMs: number; others: boolean }): Promise<void> {
    await this.primary.behave(GOOD);
    const since = performance.now();
    const pollMs = this.#parts.definition.group === 'scaled' ? SCALED_POLL_MS : POLL_MS;
    while (this.#ownMs(since, performance.now()) < withinMs + 2 * pollMs) {
      const seen = await this.#ask({ isStream: this.seed.next() < 0.5 });
      if (isGood(seen) && seen.host === this.primary.name) {
        this.#backMs = this.#ownMs(since, performance.now());
        if (this.#backMs > withinMs) this.misses.push(`in use again after ${Math.round(this.#backMs)} ms`);
        return this.#after();
      }
      if (others && !isGood(seen))
        this.misses.push(`while it was asked for again: ${seen.status} ${seen.end}`);
      await delay(pollMs);
    }
    this.misses.push(`not in use again within ${withinMs} ms of its recovery`);
  }

  async pause(leastMs: number, mostMs: number): Promise<void> {
    await delay(this.seed.between(leastMs, mostMs));
  }

  result(): Result {
    const { definition, hosts } = this.#parts;
    const { name, group, trouble, bound } = definition;
    return {
      name,
      group,
      trouble,
      bound,
      callers: callersInShort(this.#seen),
      hosts: hosts.map((host) => hostInShort(letterOf(host), host.seen, this.#since)).join('; '),
      backMs: this.#backMs,
      stalledMs: this.#parts.watch.stalledMs(this.#startedAt, performance.now()),
      misses: this.misses,
    };
  }

  /** What of a time was not the machine's doing, in milliseconds. */
  #ownMs(from: number, to: number): number {
    return Math.max(0, to - from - this.#parts.watch.stalledMs(from, to));
  }

  async #after(): Promise<void> {
    const seen = await this.#ask({});
    if (!isGood(seen))
      this.misses.push(`a healthy call after it: ${seen.status} ${seen.end} ${seen.text.slice(0, 80)}`);
  }

  #ask({ isStream = false, says = '', ...rest }: Caller): Promise<Seen> {
    const { origin, definition } = this.#parts;
    this.#calls += 1;
    const caller = `#${this.#calls} ${says}`.trim();
    return ask({ origin, model: definition.name, caller, isStream, ...rest });
  }
}

function letterOf({ name }: FaultHost): string {
  return name.slice(name.lastIndexOf('-') + 1);
}
