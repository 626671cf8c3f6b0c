/**
 * Page's cumulative sum (E. S. Page, "Continuous Inspection Schemes", Biometrika 41, 1954): adds up how much better the
 * calls fit a host in trouble than one in its usual state, and never falls below 0. With a bound of ln(n) a host in its
 * usual state raises a false alarm not more often than every n calls (G. Lorden, Ann. Math. Statist. 42, 1971).
 */
export class Cusum {
  #sum = 0;
  readonly #bound: number;
  /** The most that one call may add, so that a few wild ones are no trend. */
  readonly #step: number;

  /** @param callsPerFalseAlarm n; at least 4 calls are needed for an alarm. */
  constructor(callsPerFalseAlarm: number) {
    this.#bound = Math.log(callsPerFalseAlarm);
    this.#step = this.#bound / 4;
  }

  /** Whether nothing speaks for trouble at the moment: in control, as statistical process control says. */
  get inControl(): boolean {
    return this.#sum === 0;
  }

  /** @param evidence log-likelihood ratio of one call. @returns whether this is an alarm. */
  add(evidence: number): boolean {
    this.#sum = Math.max(0, this.#sum + Math.min(this.#step, evidence));
    return this.#sum >= this.#bound;
  }
}
