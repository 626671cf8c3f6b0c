import type { BodyCharge } from './body-charge.ts';
import type { ContentEncoding } from '../body/media-type.ts';

/** A body that was let in and is not read yet. */
export interface AdmittedBody {
  readonly charge: BodyCharge;
  readonly encoding: ContentEncoding;
  /** Whether it is no JSON and passes through as it comes. */
  readonly isStreamed: boolean;
  /** How long it is once decoded, where that is known. */
  readonly declared: number | undefined;
}
