/** Whom an outcome says something about. */
type Subject = 'caller' | 'request' | 'host + model' | 'host' | 'host + path' | 'this process';

/** What the call does next, while nothing of a response has been handed out. */
type NextStep = 'deliver' | 'return' | 'next target' | 'next fitting target';

/** What breaker and health of the host are told; `weak` counts half. */
export type Weight = 'success' | 'fault' | 'weak' | 'none';

/**
 * What is passed over, and for how long: the host's own word where it gave one, else `firstMs`, doubling with each time
 * in a row up to `maxMs`. Only a host's own word is binding; other rests end early where nothing else is left. Never a host as
 * a whole: one that is full, or has no money or no permission for one thing, may well do another.
 */
export interface RestRule {
  readonly of: 'host + model' | 'host + path';
  readonly firstMs: number;
  readonly maxMs: number;
}

/** One row of the evidence table. */
export interface Evidence {
  /** What happened, as docs/evidence.md says it. */
  readonly seen: string;
  readonly about: Subject;
  readonly next: NextStep;
  readonly weight: Weight;
  readonly rest?: RestRule;
  /** A host that is set up wrong gives this to whatever it is sent: many in a row, and it is asked after others. */
  readonly mayBeHost?: true;
  /** A request can cause this: the same from several targets is taken as evidence about the request. */
  readonly mayBeRequest?: true;
}
