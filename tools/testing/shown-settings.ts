/** Where a configuration comes from. */
interface Sources {
  readonly env: Readonly<Record<string, string>>;
  readonly file?: unknown;
}

/** A setting as the configuration lists it. */
interface Setting {
  readonly path: string;
  readonly env?: string | undefined;
  readonly secret?: boolean | undefined;
}

const CANARY = 'c4n4ry-c4n4ry';

/** What people put into the wrong setting, or mistype. */
const VALUES: readonly unknown[] = [
  CANARY,
  ` ${CANARY} with a space`,
  `${CANARY},${CANARY}`,
  `http://user:${CANARY}@host/v1`,
  `http://host/v1?key=${CANARY}`,
  `one=http://host/v1;apiKey=a;${CANARY}`,
  `one=http://host/v1;apiKey=a;${CANARY}=b`,
  `one=http://host/v1;apiKey=a,${CANARY},${CANARY}`,
  `one=http://${CANARY}@host/v1`,
  `${CANARY}=ftp://host`,
  { [CANARY]: CANARY },
  [{ [CANARY]: CANARY, name: CANARY, url: CANARY }],
  [CANARY, CANARY],
];

/**
 * Gives every setting what belongs elsewhere, through its variable and through the file.
 * @returns the paths of those whose value stands in the ConfigError that `load` throws. Any other error is thrown on.
 */
export function shownSettings(settings: readonly Setting[], load: (sources: Sources) => unknown): string[] {
  const isShown = (sources: Sources) => faultsOf(() => load(sources)).includes(CANARY);
  return settings
    .filter(({ path, env, secret }) =>
      VALUES.some((value) => {
        if (env && typeof value === 'string' && isShown({ env: { [env]: value } })) return true;
        if (!secret && typeof value === 'object') return false;
        const file = path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
        return isShown({ env: {}, file });
      }),
    )
    .map(({ path }) => path);
}

function faultsOf(work: () => unknown): string {
  try {
    work();
    return '';
  } catch (error) {
    if (error instanceof Error && error.name === 'ConfigError') return error.message;
    throw error;
  }
}
