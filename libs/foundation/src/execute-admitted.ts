import type { CallContext } from './call-context.ts';
import type { CallEnding } from './faults/assess-call.ts';
import type { Work } from './policy.ts';

type EndCall = (ending: CallEnding) => void;

/** What lets a call begin, at once or after a wait, and takes how it ended, once. It throws or rejects where it refuses. */
interface Admitting {
  begin(context: CallContext): EndCall | Promise<EndCall>;
}

/**
 * `execute` of a policy that has `begin`: lets the call begin, runs the work and tells how it ended. Rejects as `begin`
 * does, or with what the work throws.
 */
export async function executeAdmitted<Result>(
  policy: Admitting,
  work: Work<Result>,
  context: CallContext,
): Promise<Result> {
  const begun = policy.begin(context);
  const end = begun instanceof Promise ? await begun : begun;
  let result: Result;
  try {
    result = await work(context);
  } catch (error) {
    end({ error });
    throw error;
  }
  end({ result });
  return result;
}
