const BELOW_BASE = /^(?:(?:\/openai)?\/v1(?=\/)|\/openai\/deployments\/:model(?=\/)|\/openai(?=\/responses))/;

/**
 * The path of an endpoint below a host's base URL, which ends in `/v1` as a rule. Paths that have no `/v1` are beside it:
 * `/rerank` is asked as `/../rerank`, the `/rerank` of a host whose base URL is `http://host/v1`.
 */
export function hostPathOf(pattern: string): string {
  return BELOW_BASE.test(pattern) ? pattern.replace(BELOW_BASE, '') : `/..${pattern}`;
}
