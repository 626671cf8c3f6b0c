/** How paths are matched, by whoever matches them: a slash more makes no other route. */
export const ROUTER_OPTIONS = {
  ignoreTrailingSlash: true,
  ignoreDuplicateSlashes: true,
  /** Above any path that fits into a request's head: a model id of a few hundred characters is no fault. */
  maxParamLength: 16 * 1024,
} as const;
