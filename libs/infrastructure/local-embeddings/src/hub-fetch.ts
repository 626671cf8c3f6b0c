import type { ModelSource } from './worker-protocol.ts';

/**
 * `fetch` that shows the token of the hub to the hub, for models that not everybody may read. Where the hub redirects to
 * another origin, such as a file store, `fetch` itself leaves the token out.
 */
export function hubFetch({ hubUrl, token }: Extract<ModelSource, { kind: 'hub' }>): typeof fetch {
  if (token === undefined) return fetch;
  const { origin } = new URL(hubUrl);
  return (input, init) => {
    const url = input instanceof Request ? input.url : input;
    if (new URL(url).origin !== origin) return fetch(input, init);
    const headers = new Headers(init?.headers);
    headers.set('authorization', `Bearer ${token}`);
    return fetch(input, { ...init, headers });
  };
}
