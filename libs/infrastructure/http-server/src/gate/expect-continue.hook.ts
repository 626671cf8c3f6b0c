import type { GateHook } from './gate.ts';
import { asksForContinue } from '../connections/request-head.ts';

/**
 * Says `100 Continue` to a caller that waits for it with its body. It belongs behind everything that may refuse a request
 * by its head: whoever is refused then never sends the body.
 */
export const expectContinue: GateHook = (request, reply, done) => {
  if (asksForContinue(request.raw)) reply.raw.writeContinue();
  done();
};
