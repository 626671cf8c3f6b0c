import { contextOf, jsonRoute, type PlainRoute } from '@morgan/http-server';
import { DeadlinePolicy } from '@morgan/retry';
import type { TextToken } from '../embeddings/embedding-model.ts';
import { promptOf } from '../embeddings/request/prompt-choice.ts';
import { slicedBody } from '../embeddings/response/sliced-body.ts';
import { EMBEDDING_FIELDS, unreadCheck } from '../embeddings/request/unread-fields.ts';
import type { ServedModels } from '../models/served-models.ts';
import { type TeiTokenizeRequest, teiTokenizeSchema } from './tei.schema.ts';

/** Tokens that are written at a time: about 5 ms of work. */
const SLICE_TOKENS = 8_192;

/** What a token takes in memory until it is written. */
const TOKEN_BYTES = 128;

const deadline = new DeadlinePolicy();
const checkRead = unreadCheck(teiTokenizeSchema, EMBEDDING_FIELDS);

/** Which tokens texts have, as text-embeddings-inference says it. */
export function tokenizeRoute(models: ServedModels): PlainRoute {
  return jsonRoute<TeiTokenizeRequest>({
    path: '/tokenize',
    tag: 'text-embeddings-inference',
    summary: 'The tokens of texts, uncut, with their places.',
    schema: teiTokenizeSchema,
    answer: async (body, request, reply) => {
      checkRead(body);
      const { inputs, add_special_tokens: specials, prompt_name } = body;
      const texts = typeof inputs === 'string' ? [inputs] : inputs;
      const model = models.named(body.model ?? 'default');
      const tokens = await deadline.execute(
        (context) =>
          models.use(model, context, () => {
            const prompt = prompt_name ? (promptOf({ prompt_name }, model.prompts) ?? '') : '';
            const asked = prompt === '' ? texts : texts.map((text) => prompt + text);
            return model.listTokens(asked, specials ?? true, context);
          }),
        contextOf(request),
      );
      const count = tokens.reduce((sum, list) => sum + list.length, 0);
      await request.admittedBody?.charge.add(count * TOKEN_BYTES, contextOf(request).signal);
      reply.type('application/json');
      return slicedBody(slicesOf(tokens), count <= SLICE_TOKENS);
    },
  });
}

function* slicesOf(texts: readonly (readonly TextToken[])[]): Generator<string, void> {
  yield '[';
  for (const [index, tokens] of texts.entries()) {
    yield index > 0 ? ',[' : '[';
    for (let start = 0; start < tokens.length; start += SLICE_TOKENS) {
      const slice = tokens.slice(start, start + SLICE_TOKENS).map((token) => JSON.stringify(token));
      yield `${start > 0 ? ',' : ''}${slice.join(',')}`;
    }
    yield ']';
  }
  yield ']';
}
