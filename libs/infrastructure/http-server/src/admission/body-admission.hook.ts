import type { IncomingHttpHeaders } from 'node:http';
import type { GateHook } from '../gate/gate.ts';
import { contextOf } from '../http-exchange.ts';
import type { Admission } from './admission.ts';
import type { BodyCharge } from './body-charge.ts';
import type { BodyFormat } from '../body/body-format.ts';
import { bodyTooLarge } from '../body/body-content.ts';
import { checkMediaType, contentEncodingOf } from '../body/media-type.ts';

/** Nobody reads a body of these, whatever it is. */
const READING: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/**
 * Refuses what can be refused by its head, then lets the call in or has it wait for room, all before its body is read.
 * It belongs in front of whatever asks the caller for the body.
 */
export function bodyAdmission(
  admission: Admission,
  { limitBytes, format }: { readonly limitBytes: number; readonly format: BodyFormat },
): GateHook {
  return (request, _reply, done) => {
    if (READING.has(request.method) || !hasBody(request.headers)) return done();
    try {
      const type = request.headers['content-type'];
      const isStreamed = format.streamed?.takes(request.routeOptions.url, type) ?? false;
      if (!isStreamed) checkMediaType(request.headers);
      const encoding = contentEncodingOf(request.headers);
      const length = Number(request.headers['content-length'] ?? 0);
      if (length > limitBytes) throw bodyTooLarge(limitBytes);
      const declared = encoding === 'identity' && length > 0 ? length : undefined;
      const context = contextOf(request);
      const { signal } = context;
      const admit = (charge: BodyCharge) => {
        request.admittedBody = { charge, encoding, isStreamed, declared };
        context.whenOver(() => charge.release());
        done();
      };
      const held = isStreamed ? (format.streamed?.heldBytes ?? 0) : Infinity;
      const bytes = Math.min(declared ?? (isStreamed ? held : 0), held);
      const entered = admission.enter(bytes, context);
      // Where the client has left while it waited, nobody is there to be answered.
      if (entered instanceof Promise) entered.then(admit, (error: Error) => signal.aborted || done(error));
      else admit(entered);
    } catch (error) {
      done(error as Error);
    }
  };
}

/** Whether a body is announced that is not empty. */
export function hasBody(headers: IncomingHttpHeaders): boolean {
  if (headers['transfer-encoding'] !== undefined) return true;
  const length = headers['content-length'];
  return length !== undefined && Number(length) > 0;
}
