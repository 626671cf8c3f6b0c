import { readFileSync } from 'node:fs';
import { runTool, UsageError } from '../command-line/run-tool.ts';
import { notesOf } from './changelog.ts';

await runTool('usage: npm run release:notes -- 1.2.3', ([version]) => {
  if (!version) throw new UsageError('no version is named');
  console.log(notesOf(readFileSync('CHANGELOG.md', 'utf8'), version));
});
