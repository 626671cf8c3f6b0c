import { readFileSync } from 'node:fs';
import { notesOf } from './changelog.ts';

const [version] = process.argv.slice(2);
if (!version) throw new Error('usage: npm run release:notes -- 1.2.3');
console.log(notesOf(readFileSync('CHANGELOG.md', 'utf8'), version));
