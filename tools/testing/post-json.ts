/**
 * Sends JSON.
 * @param body what is sent: a text or bytes as they are, anything else as JSON.
 * @param headers beside the type of the body, or in place of it.
 */
export function postJson(
  url: string,
  body: object | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
  });
}
