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
