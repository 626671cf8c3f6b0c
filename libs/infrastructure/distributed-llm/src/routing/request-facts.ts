import type { RequestNeeds } from '@morgan/llm-protocol';

/** What routing needs to know of a request. */
export interface RequestFacts {
  /** Below the base URL, without its query. */
  readonly path: string;
  readonly bytes: number;
  /** About how many tokens its prompt has. */
  readonly tokens: number;
  /** The model as the caller named it. */
  readonly model: string | undefined;
  readonly needs: (() => RequestNeeds) | undefined;
}
