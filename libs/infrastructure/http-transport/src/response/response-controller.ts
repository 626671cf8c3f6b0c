/** What a handler can do to the response that it gets. */
export interface ResponseController {
  /** Nothing more should come before {@link resume}. */
  pause(): void;
  resume(): void;
  /** Nobody wants the rest: costs a connection that only this request uses. */
  abort(reason: Error): void;
}
