import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { loadConfig } from '@morgan/foundation';
import { composeEmbeddingService } from './compose.ts';
import { embeddingServiceConfig } from './config/embedding-service.config.ts';
import { ServedModels } from './models/served-models.ts';

const FOLDERS = join(
  import.meta.dirname,
  '../../../libs/infrastructure/local-embeddings/fixture/reference-models',
);

it('a further model has a name of its own, whatever the first one is called', async () => {
  const env = {
    EMBEDDING_MODEL: join(FOLDERS, 'bert-mean'),
    EMBEDDING_MODEL_NAME: 'mine',
    EMBEDDING_FURTHER_MODELS: `${join(FOLDERS, 'bert-max')}, other = ${join(FOLDERS, 'bert-cls')}`,
    LOG_LEVEL: 'silent',
  };
  const { app, close } = await composeEmbeddingService(loadConfig(embeddingServiceConfig, { env }));
  const models = app.get(ServedModels, { strict: false }).list();
  await close();
  expect(models.map(({ model }) => model.id)).toEqual(['mine', 'bert-max', 'other']);
});

it.each([
  ['EMBEDDING_MODEL', {}],
  ['EMBEDDING_FURTHER_MODELS', {}],
  [
    'EMBEDDING_REMOTE_FALLBACK_MODEL',
    {
      EMBEDDING_BACKEND: 'remote',
      EMBEDDING_REMOTE_HOSTS: 'http://127.0.0.1:9/v1',
      EMBEDDING_REMOTE_MODEL: 'far-away',
      EMBEDDING_REMOTE_DIMENSIONS: '16',
    },
  ],
])('a model that is no folder is told by what names it: %s', async (name, others) => {
  const env = { ...others, [name]: import.meta.filename, LOG_LEVEL: 'silent' };
  await expect(composeEmbeddingService(loadConfig(embeddingServiceConfig, { env }))).rejects.toThrow(
    `${name} names what is no folder: `,
  );
});
