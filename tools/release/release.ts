import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { runTool, UsageError } from '../command-line/run-tool.ts';
import { cutRelease } from './changelog.ts';

/** Cuts a release: the changelog gets its heading, package.json and the lockfile the version, the commit a tag. Pushes nothing. */
await runTool('usage: npm run release -- 1.2.3', ([version]) => {
  if (!version) throw new UsageError('no version is named');
  const run = (command: string, ...args: string[]) => execFileSync(command, args, { stdio: 'inherit' });

  if (execFileSync('git', ['status', '--porcelain'], { encoding: 'utf8' }) !== '')
    throw new Error('there are uncommitted changes');
  const today = new Date().toISOString().slice(0, 10);
  const changelog = cutRelease(readFileSync('CHANGELOG.md', 'utf8'), version, today);
  writeFileSync('CHANGELOG.md', changelog);
  run('npm', 'version', '--no-git-tag-version', version);
  run('git', 'commit', '--all', '--message', `Release ${version}`);
  run('git', 'tag', '--annotate', `v${version}`, '--message', `Morgan ${version}`);
  console.log(`Now: git push --follow-tags`);
});
