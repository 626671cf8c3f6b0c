import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ModelFolder } from '../model-folder.ts';
import { readSentencePlan } from '../plan/sentence-plan.reader.ts';
import { openEncoder } from './token-encoder.ts';
import { readTokenizerFiles } from './tokenizer-files.ts';

const REFERENCES = join(import.meta.dirname, '../../../fixture/reference-models');
const noBinary = () => Promise.reject(new Error('Cannot find native binding'));

async function filesOf(name: string) {
  const folder = new ModelFolder(join(REFERENCES, name));
  return readTokenizerFiles(folder, await readSentencePlan(folder));
}

describe('where the native library has no binary', () => {
  it.each(['bert-mean', 'bert-lower-case', 'roberta', 'xlm-roberta', 'qwen3-mean'])(
    'the JavaScript tokenizer of %s serves, with the same ids for ordinary texts',
    async (name) => {
      const files = await filesOf(name);
      const encoder = await openEncoder(files, noBinary);
      const native = await openEncoder(files);
      expect([encoder.kind, native.kind]).toEqual(['javascript', 'native']);
      expect(encoder.vocabularySize).toBe(native.vocabularySize);
      const rows = JSON.parse(await readFile(join(REFERENCES, name, 'ref.json'), 'utf8')) as {
        text: string;
      }[];
      const texts = rows.map(({ text }) => text).filter((text) => !text.includes('👩'));
      for (const specials of [true, false])
        expect(await encoder.encode(texts, specials)).toEqual(await native.encode(texts, specials));
    },
  );

  it('it reads the tokens of special_tokens_map.json, which are objects', async () => {
    const files = await filesOf('xlm-roberta');
    const settings = { ...files.settings, mask_token: { content: '<mask>', lstrip: true } };
    const encoder = await openEncoder({ ...files, settings }, noBinary);
    expect(await encoder.encode(['a city'], true)).toEqual(
      await (await openEncoder(files)).encode(['a city'], true),
    );
  });

  it('is not asked about a definition that the native library refuses', async () => {
    const files = await filesOf('bert-mean');
    const definition = { ...files.definition, model: { type: 'Nonsense', vocab: {} } };
    await expect(openEncoder({ ...files, definition })).rejects.toThrow('tokenizer.json is not understood: ');
  });
});
