/**
 * `npm start` and `npm test` on a machine that has Node >= 20 and npm, and nothing else: installs what the lockfile
 * asks for, then hands over to the TypeScript of tools/, run by the pinned Node.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isInstalled } from './install-check.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const PROGRAMS = { start: 'tools/start/start.ts', test: 'tools/test/test.ts' };
const OLDEST_NODE = 20;
const NODE_WITH_TYPES = 24;
const STILL_ALIVE_MS = 15_000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

const major = Number(process.versions.node.split('.')[0]);
const program = PROGRAMS[process.argv[2]];
try {
  if (!program) throw new Error(`usage: node tools/bootstrap.mjs ${Object.keys(PROGRAMS).join('|')}`);
  if (major < OLDEST_NODE)
    throw new Error(`Morgan needs Node ${OLDEST_NODE} or newer; this is ${process.version}.`);
  if (!(await isInstalled(ROOT))) await install();
  process.exitCode = await handOver();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

async function install() {
  console.log('Installing the packages of the lockfile (only the first time; a minute or more) ...');
  const startedAt = Date.now();
  const seconds = () => Math.round((Date.now() - startedAt) / 1000);
  const progress = setInterval(() => console.log(`  still installing (${seconds()} s)`), STILL_ALIVE_MS);
  const options = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  const npm = process.env.npm_execpath;
  const [command, args] = npm ? [process.execPath, [npm, ...options]] : ['npm', options];
  const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const collect = (chunk) => (output += chunk);
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const status = await ended(child);
  clearInterval(progress);
  if (status !== 0) {
    const tail = output.trim().split('\n').slice(-20).join('\n');
    throw new Error(`${tail}\n\nThe packages could not be installed: npm ci failed with code ${status}.`);
  }
  console.log(`Installed in ${seconds()} s.`);
}

function handOver() {
  const pinned = join(ROOT, 'node_modules/.bin/node');
  if (!existsSync(pinned) && major < NODE_WITH_TYPES) {
    throw new Error(
      `Morgan runs on Node ${NODE_WITH_TYPES}. It comes along on Linux; here, please install it (this is ${process.version}).`,
    );
  }
  const exitWithParent = pathToFileURL(join(ROOT, 'tools/start/exit-with-parent.mjs')).href;
  const args = ['--import', exitWithParent, program, ...process.argv.slice(3)];
  const child = spawn(existsSync(pinned) ? pinned : process.execPath, args, {
    cwd: ROOT,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: {
      ...process.env,
      PATH: join(ROOT, 'node_modules/.bin') + delimiter + (process.env.PATH ?? ''),
      // The only plugin is its own: without a process for it Nx is ready in half the time.
      NX_ISOLATE_PLUGINS: 'false',
    },
  });
  return ended(child);
}

/** Passes signals on and resolves with the exit code, which is 128 + n for signal n as in a shell. */
function ended(child) {
  const forward = (signal) => child.kill(signal);
  for (const signal of SIGNALS) process.on(signal, forward);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      for (const name of SIGNALS) process.off(name, forward);
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}
