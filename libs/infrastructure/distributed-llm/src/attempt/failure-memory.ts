import { EVIDENCE, MODEL_OUTAGE } from '../evidence/evidence-table.ts';
import type { Outcome } from '../evidence/outcome.ts';
import { restKey } from '../hosts/host.ts';
import type { Target } from '../routing/target.ts';
import type { TargetFault } from '../strategies/target-load.ts';
import type { AttemptParts } from './attempt-parts.ts';
import type { AttemptFailure } from './attempt-result.ts';
import type { CallRequest } from './attempt-request.ts';

/** What was asked of whom. */
interface Asked {
  readonly target: Target;
  readonly call: CallRequest;
}

/** Remembers what a failure says about the host, a model or a path of it, for as long as the evidence table says. */
export function noteFailure(
  { target, call }: Asked,
  { outcome, errorResponse, saidMs }: AttemptFailure,
  { onLockout }: AttemptParts,
): void {
  const { rest: rule, mayBeHost } = EVIDENCE[outcome];
  const { host } = target;
  const { path } = call.facts;
  const model = target.modelFor(call.facts.model);
  if (mayBeHost) host.refused(model, path);
  if (!rule) return;
  const key = rule.of === 'host + model' ? restKey.model(model, path) : restKey.path(path);
  const isNew = host.rests.begin(key, {
    outcome,
    rule,
    saidMs,
    errorResponse: errorResponse?.brief(call.dialect),
  });
  if (outcome === 'model_not_found' && model !== undefined && host.models.mayHave(model))
    void host.health.refreshModels();
  const isLockout = outcome === 'credentials_rejected' || outcome === 'quota_exhausted';
  if (isLockout && isNew) onLockout({ target, outcome, of: key, requestId: call.id });
}

/** Nothing that is asked of a model succeeds at a host, though others do there: the pair is asked after all else. */
export function noteModelOutage({ target, call }: Asked, failure: AttemptFailure): void {
  const { model, path } = call.facts;
  noteOutage({ target, call }, failure, restKey.model(target.modelFor(model), path));
}

/** {@link noteModelOutage} for one model at one path: at other paths, or for other models, the host succeeds. */
export function noteKindOutage({ target, call }: Asked, failure: AttemptFailure): void {
  const { model, path } = call.facts;
  noteOutage({ target, call }, failure, restKey.kind(target.modelFor(model), path));
}

function noteOutage({ target, call }: Asked, { outcome, errorResponse }: AttemptFailure, key: string): void {
  const said = errorResponse?.brief(call.dialect);
  target.host.rests.begin(key, { outcome, rule: MODEL_OUTAGE, saidMs: undefined, errorResponse: said });
}

/** What a request can cause may be the fault of its model alone. */
export function faultOf(outcome: Outcome): TargetFault | undefined {
  const { weight, mayBeRequest } = EVIDENCE[outcome];
  if (weight !== 'fault') return undefined;
  return mayBeRequest ? 'model' : 'target';
}
