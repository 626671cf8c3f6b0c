import type { ReportedError } from '@morgan/host-errors';
import type { HostResponseBody, HostStream } from '@morgan/llm-protocol';
import type { Outcome } from '../evidence/outcome.ts';

/** What there is to hand out: all of a response, after a clean end, or one that goes on as events or as bytes. */
export type Content = { readonly kind: 'content' } & (
  | { readonly whole: Buffer; readonly stream?: undefined; readonly body?: undefined }
  | { readonly stream: HostStream; readonly whole?: undefined; readonly body?: undefined }
  | { readonly body: HostResponseBody; readonly whole?: undefined; readonly stream?: undefined }
);

/** How a response with a good status begins. */
export type Opening =
  | Content
  | {
      readonly kind: 'failed';
      readonly outcome: Outcome;
      readonly error?: ReportedError;
      readonly cause?: unknown;
    };

export function failed(outcome: Outcome): Opening {
  return { kind: 'failed', outcome };
}
