import type { Readable } from 'node:stream';
import type { BodySource } from './body-flow.ts';
import { IncomingBody } from './incoming-body.ts';
import { TransportError } from '../transport-error.ts';

/** A stream as the body that it is of, for a sink: one from which something was read already, or that is of no response. */
export function readableBody(stream: Readable): BodySource {
  const flow = { pause: () => void stream.pause(), resume: () => void stream.resume() };
  const body = new IncomingBody(flow, () => void stream.destroy());
  const closed = () => {
    if (!stream.readableEnded) body.fail(stream.errored ?? new TransportError('aborted', false));
  };
  stream.on('data', (chunk: Buffer) => {
    if (!body.push(chunk)) stream.pause();
  });
  stream.on('end', () => body.end());
  stream.on('error', (fault) => body.fail(fault));
  stream.on('close', closed);
  if (stream.closed) closed();
  return body;
}
