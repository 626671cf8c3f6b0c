/** A target that could serve the call now: what is disabled, open, resting or already tried is not among the candidates. */
export interface Candidate {
  readonly name: string;
  /** Above 0: its share relative to the others, slow start included. */
  readonly weight: number;
  readonly inFlight: number;
  /** Prompt tokens, as estimated, of the calls that have not begun to answer. */
  readonly tokensInFlight: number;
  /** Recent time to the first token (`TargetLoad`) of such a call; unknown of one that nothing was heard of lately. */
  ttftMsFor(call: CallTraits): number | undefined;
}

/** What a strategy sees of a call. */
export interface CallTraits {
  /** See `sessionKeyOf`. */
  readonly sessionKey: string | undefined;
  /** Whether the caller asks by a header to be kept together with other calls, whatever that is worth. Default false. */
  readonly namesSession?: boolean;
  readonly promptTokens: number;
  /** The model that the caller names. */
  readonly model?: string | undefined;
}

/** Names one of the equal targets of a tier. Keeps at most a number for each target, whatever callers send. */
export interface Strategy {
  /** @param candidates at least one. */
  choose<C extends Candidate>(candidates: readonly C[], call: CallTraits): C;
  /** A copy with a memory of its own, to look ahead with. Missing in strategies that remember nothing. */
  copy?(): Strategy;
}
