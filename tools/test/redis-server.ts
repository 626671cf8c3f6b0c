import { runQuietly } from '../start/command.ts';

/**
 * Makes sure that the tests find a Redis: one that REDIS_URL names, or redis-server on PATH, installed with apt-get where
 * that is possible.
 * @throws Error with one sentence that says what to do.
 */
export async function provideRedis(env: NodeJS.ProcessEnv): Promise<void> {
  if (env['REDIS_URL'] || (await succeeds('redis-server', '--version'))) return;
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const apt = (...args: string[]) => {
    const [command = '', ...rest] = [...sudo, 'apt-get', ...args];
    return succeeds(command, ...rest);
  };
  const install = () => apt('install', '-y', '-q', '--no-install-recommends', 'redis-server');
  if (await succeeds('apt-get', '--version')) {
    console.log('  ...  installing redis-server with apt-get');
    if ((await install()) || ((await apt('update', '-q')) && (await install()))) return;
  }
  throw new Error(
    'there is no Redis: install redis-server, or set REDIS_URL to one that the tests may write to',
  );
}

function succeeds(command: string, ...args: string[]): Promise<boolean> {
  return runQuietly(command, args, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }).then(
    () => true,
    () => false,
  );
}
