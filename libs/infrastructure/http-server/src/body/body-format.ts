import { JsonValueBuilder } from '../json/json-value.builder.ts';
import type { JsonVisitor } from '../json/json-visitor.ts';

/** What one body becomes: it is seen while it arrives, and turned into `request.body` when it is complete and valid. */
export interface BodyAssembly {
  readonly visitor: JsonVisitor;
  /**
   * What takes long comes as a promise, and leaves the event loop free meanwhile.
   * @param bytes the whole body within the limits: a valid JSON text, or of another type that the format takes.
   */
  finish(bytes: Buffer): unknown;
}

/** What the JSON bodies of an application become. */
export interface BodyFormat {
  /** @param contentType only for bodies that are no JSON. */
  begin(contentType?: string): BodyAssembly;
  /** Whether a route takes bodies of a type that is not JSON. They are held to the same limits, and not looked into. */
  takes?(route: string | undefined, contentType: string): boolean;
}

/** `request.body` is the value of the JSON text, built while it arrives. Its bytes are not kept. */
export const PARSED_JSON: BodyFormat = {
  begin: () => {
    const builder = new JsonValueBuilder();
    return { visitor: builder, finish: (bytes) => builder.finish(bytes) };
  },
};
