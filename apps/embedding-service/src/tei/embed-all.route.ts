import { contextOf, jsonRoute, type PlainRoute } from '@morgan/http-server';
import { DeadlinePolicy } from '@morgan/retry';
import { listInputs } from '../embeddings/request/embedding-input.check.ts';
import { checkCut, cutsOf } from '../embeddings/request/asked-cut.ts';
import type { EmbeddedInput } from '../embeddings/embedding-model.ts';
import { TRUNCATED_HEADER } from '../embeddings/response/outcome-headers.ts';
import { promptOf } from '../embeddings/request/prompt-choice.ts';
import { listSlices, perSlice, slicedBody } from '../embeddings/response/sliced-body.ts';
import { EMBEDDING_FIELDS, unreadCheck } from '../embeddings/request/unread-fields.ts';
import type { ServedModels } from '../models/served-models.ts';
import { type TeiEmbedAllRequest, teiEmbedAllSchema } from './tei.schema.ts';

const deadline = new DeadlinePolicy();
const checkRead = unreadCheck(teiEmbedAllSchema, EMBEDDING_FIELDS);

/** The vectors of single tokens, as text-embeddings-inference gives them. They are not cached. */
export function embedAllRoute(models: ServedModels): PlainRoute {
  return jsonRoute<TeiEmbedAllRequest>({
    path: '/embed_all',
    tag: 'text-embeddings-inference',
    summary: 'The vectors of all tokens of each text, as the graph gives them: not pooled, not scaled.',
    schema: teiEmbedAllSchema,
    answer: async (body, request, reply) => {
      checkRead(body);
      const model = models.named(body.model ?? 'default');
      const context = contextOf(request);
      const items = await deadline.execute(
        (bounded) =>
          models.use(model, bounded, () => {
            const prompt = promptOf({ prompt_name: body.prompt_name }, model.prompts);
            checkCut(cutsOf(body), model);
            const truncate = body.truncate ?? model.truncatesByDefault;
            return model.embedTokens(listInputs(body.inputs), bounded, { truncate, prompt });
          }),
        context,
      );
      const bytes = items.reduce((sum, { vector }) => sum + vector.byteLength, 0);
      await request.admittedBody?.charge.add(bytes, context.signal);
      const tokens = items.reduce((sum, { tokenCount }) => sum + tokenCount, 0);
      context.note('inputs', items.length);
      context.note('tokens', tokens);
      reply.header(TRUNCATED_HEADER, String(items.filter(({ truncated }) => truncated).length));
      reply.type('application/json');
      const dimensions = items[0] ? items[0].vector.length / items[0].tokenCount : 1;
      return slicedBody(slicesOf(items), tokens <= perSlice(dimensions));
    },
  });
}

function* slicesOf(items: readonly EmbeddedInput[]): Generator<string, void> {
  yield '[';
  for (const [index, { vector, tokenCount }] of items.entries()) {
    const dimensions = vector.length / tokenCount;
    const write = (token: number) =>
      JSON.stringify(Array.from(vector.subarray(token * dimensions, (token + 1) * dimensions)));
    yield index > 0 ? ',[' : '[';
    yield* listSlices(tokenCount, dimensions, write);
    yield ']';
  }
  yield ']';
}
