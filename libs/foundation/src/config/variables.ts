/** Environment variables by their names. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** A text in which variables stand. */
interface Substitution {
  /** The value with `${NAME}` replaced, at any depth. */
  readonly value: unknown;
  /** The names that stand in it. */
  readonly names: ReadonlySet<string>;
  readonly faults: readonly SubstitutionFault[];
}

/** A reference that nothing can be put in for. It stays where it is. */
interface SubstitutionFault {
  /** Where the text is in the tree. */
  readonly path: string;
  readonly message: string;
}

const REFERENCE = /\$\{([^}]*)(\}?)/g;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Puts the values of variables into every text of a tree. What looks like a reference and is none is a fault. */
export function substituteVariables(tree: unknown, env: Variables): Substitution {
  const names = new Set<string>();
  const faults: SubstitutionFault[] = [];
  const inText = (text: string, path: readonly string[]) => {
    const fault = (message: string) => faults.push({ path: path.join('.'), message });
    return text.replace(REFERENCE, (found, name: string, end: string) => {
      if (end === '' || !NAME.test(name)) {
        // What stands there may be a secret.
        fault(
          'the configuration file has a `${` that is no reference: write ${NAME}, without a default or an expression',
        );
        return found;
      }
      names.add(name);
      const value = env[name]?.trim();
      if (value === undefined) fault(`\${${name}} is used in the configuration file, but ${name} is not set`);
      return value ?? found;
    });
  };
  const inTree = (value: unknown, path: readonly string[]): unknown => {
    if (typeof value === 'string') return inText(value, path);
    if (Array.isArray(value)) return value.map((item, at) => inTree(item, [...path, String(at)]));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, inTree(item, [...path, key])]),
    );
  };
  return { value: inTree(tree, []), names, faults };
}

/**
 * What a variable says; undefined where it is not set, which an empty one is not either. White space around it is none of
 * it: it comes from files, and from `echo` in front of `base64`.
 */
export function valueOf(env: Variables, name: string | undefined): string | undefined {
  return (name === undefined ? undefined : env[name]?.trim()) || undefined;
}

/** `${NAME}` of shells and Compose, `$(NAME)` of Kubernetes. */
const UNRESOLVED = /\$\{[A-Za-z_]\w*\}|\$\([A-Za-z_]\w*\)/;

/** What is said of a value in which a reference still stands. The value may be a secret. */
export const UNRESOLVED_FAULT =
  'has a reference such as ${NAME} in it that nobody has put a value in for: give the value itself';

/** Whether a variable still stands in a value by its name: Docker's `--env-file` and Secrets of Kubernetes put nothing in its place. */
export function isUnresolved(text: string): boolean {
  return UNRESOLVED.test(text);
}

/** What is wrong with the writing of a value: marks that belong to other notations would become part of it. */
export function writingFault(text: string, isList: boolean): string | undefined {
  if (/^(["'`]).*\1$/s.test(text)) return 'has quotes around it, which would be part of it: leave them out';
  if (isUnresolved(text)) return UNRESOLVED_FAULT;
  if (isList && /^\[.*\]$/s.test(text))
    return 'has brackets around it: separate the entries of a list by commas alone';
  if (isList && /^[\s,]*$/.test(text)) return 'lists nothing';
  return undefined;
}
