import { JsonValueBuilder } from '../json/json-value.builder.ts';
import type { JsonVisitor } from '../json/json-visitor.ts';
import type { ReadingTurns } from './reading-turns.ts';

/** What one body becomes: it is seen while it arrives, and turned into `request.body` when it is complete and valid. */
export interface BodyAssembly {
  readonly visitor: JsonVisitor;
  /**
   * What takes long comes as a promise, and leaves the event loop free meanwhile.
   * @param bytes the whole body within the limits: a valid JSON text.
   */
  finish(bytes: Buffer): unknown;
}

/** What the bodies of an application become. */
export interface BodyFormat {
  begin(): BodyAssembly;
  /** Bodies that are no JSON: `request.body` is a {@link BodyStream}, and nothing of it is looked into here. */
  readonly streamed?: StreamedBodies;
  /** When the next piece of 256 kB of a body is read. Default: as soon as everybody else had a turn of the event loop. */
  readonly turns?: ReadingTurns;
}

/** Bodies that pass through as they come. */
interface StreamedBodies {
  /** Whether a route takes such bodies. @throws AppError where it takes no others, and this type is another. */
  takes(route: string | undefined, contentType: string | undefined): boolean;
  /** How much of one is held at a time; so much it counts against the memory for bodies. */
  readonly heldBytes: number;
}

/** `request.body` is the value of the JSON text, built while it arrives. Its bytes are not kept. */
export const PARSED_JSON: BodyFormat = {
  begin: () => {
    const builder = new JsonValueBuilder();
    return { visitor: builder, finish: (bytes) => builder.finish(bytes) };
  },
};
