/** The path of a request target as the router takes it: without query, repeated slashes and a slash at its end. */
export function plainPath(target: string): string {
  const path = target.split('?', 1)[0] ?? '';
  return path.replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '');
}
