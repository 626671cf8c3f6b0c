/**
 * For constructors whose settings stand in an object of their own: an option in the wrong place would otherwise be ignored,
 * and the default be in force. TypeScript does not notice it where the options come from a variable.
 * @param rest what is left of the options after the known ones were taken out
 * @throws TypeError which names the class and the options
 */
export function refuseUnknownOptions(owner: string, rest: object): void {
  const names = Object.keys(rest);
  if (names.length > 0)
    throw new TypeError(`${owner} has no option ${names.map((n) => `"${n}"`).join(', ')}`);
}

/**
 * What a policy is called stands in log lines and metric labels, and policies of one name share a limit: without one they would all be one.
 * @throws TypeError which names the class
 */
export function requireName(owner: string, name: unknown): string {
  if (typeof name === 'string' && name.trim() !== '') return name;
  throw new TypeError(`${owner} needs a name that is not empty`);
}
