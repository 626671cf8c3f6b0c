import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FLOAT, INT64, OnnxGraph } from '../../bundled-model/onnx-writer.ts';
import { seededRandom } from '@morgan/testing';

const LAYERS = 6;
const WIDTH = 384;
const HEADS = 12;
const INNER_WIDTH = 1_536;
const MAX_TOKENS = 512;
const SPECIAL_TOKENS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]'];
const SPREAD = 0.1;
const NORM_EPSILON = 1e-12;
const PADDING_BIAS = -1e9;

/**
 * Writes a model of the size of all-MiniLM-L6-v2, in the layout of sentence-transformers: what it costs is that of a BERT
 * with six layers, 384 wide, and what its vectors say is nothing, as all weights are random.
 * @param words its vocabulary, beside the special tokens
 */
export async function writeRandomBert(folder: string, words: readonly string[]): Promise<void> {
  const vocabulary = [...SPECIAL_TOKENS, ...words];
  const files: Readonly<Record<string, unknown>> = {
    'onnx/model.onnx': new RandomBert().encode(vocabulary.length),
    'tokenizer.json': tokenizer(vocabulary),
    ...SETTINGS,
    'config.json': { ...CONFIG, vocab_size: vocabulary.length },
  };
  for (const [path, content] of Object.entries(files)) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content instanceof Uint8Array ? content : JSON.stringify(content));
  }
}

const CONFIG = {
  model_type: 'bert',
  architectures: ['BertModel'],
  hidden_size: WIDTH,
  intermediate_size: INNER_WIDTH,
  num_attention_heads: HEADS,
  num_hidden_layers: LAYERS,
  max_position_embeddings: MAX_TOKENS,
};

const SETTINGS = {
  'tokenizer_config.json': {
    tokenizer_class: 'BertTokenizer',
    model_max_length: MAX_TOKENS,
    pad_token: '[PAD]',
    unk_token: '[UNK]',
    cls_token: '[CLS]',
    sep_token: '[SEP]',
  },
  'modules.json': ['Transformer', 'Pooling', 'Normalize'].map((module, idx) => ({
    idx,
    name: String(idx),
    path: idx === 0 ? '' : `${idx}_${module}`,
    type: `sentence_transformers.models.${module}`,
  })),
  'sentence_bert_config.json': { max_seq_length: MAX_TOKENS, do_lower_case: false },
  '1_Pooling/config.json': { word_embedding_dimension: WIDTH, pooling_mode_mean_tokens: true },
};

function tokenizer(vocabulary: readonly string[]): object {
  const special = (token: string) => ({ SpecialToken: { id: token, type_id: 0 } });
  const text = (id: string, type_id: number) => ({ Sequence: { id, type_id } });
  const idOf = (token: string) => ({ id: token, ids: [vocabulary.indexOf(token)], tokens: [token] });
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [special('[CLS]'), text('A', 0), special('[SEP]')],
      pair: [special('[CLS]'), text('A', 0), special('[SEP]'), text('B', 1), special('[SEP]')],
      special_tokens: { '[CLS]': idOf('[CLS]'), '[SEP]': idOf('[SEP]') },
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])),
    },
  };
}

/** The graph, as exporters write it: (input_ids, attention_mask, token_type_ids) -> last_hidden_state. */
class RandomBert {
  readonly #graph = new OnnxGraph();
  readonly #random = seededRandom(LAYERS * WIDTH);
  #tensors = 0;
  #paddingBias = '';

  encode(vocabularySize: number): Uint8Array {
    const graph = this.#graph;
    const mask = graph.node('Cast', ['attention_mask'], { to: FLOAT });
    const isPadding = graph.node('Sub', [graph.scalar(1), mask]);
    const bias = graph.node('Mul', [isPadding, graph.scalar(PADDING_BIAS)]);
    this.#paddingBias = graph.node('Unsqueeze', [bias, graph.ints([1, 2])]);
    let state = this.#embed(vocabularySize);
    for (let layer = 0; layer < LAYERS; layer += 1) state = this.#layer(state);
    graph.nodeTo(['last_hidden_state'], 'Identity', [state]);
    const shape = ['batch', 'sequence'];
    return graph.encode(
      'random-bert',
      ['input_ids', 'attention_mask', 'token_type_ids'].map((name) => ({ name, type: INT64, shape })),
      [{ name: 'last_hidden_state', type: FLOAT, shape: [...shape, WIDTH] }],
    );
  }

  #embed(vocabularySize: number): string {
    const graph = this.#graph;
    const words = graph.node('Gather', [this.#weights(vocabularySize, WIDTH), 'input_ids']);
    const types = graph.node('Gather', [this.#weights(2, WIDTH), 'token_type_ids']);
    const length = graph.node('Gather', [graph.node('Shape', ['input_ids']), graph.ints(1)]);
    const positions = graph.node('Range', [graph.ints(0), length, graph.ints(1)]);
    const places = graph.node('Gather', [this.#weights(MAX_TOKENS, WIDTH), positions]);
    return this.#normed(graph.node('Add', [words, types]), places);
  }

  #layer(input: string): string {
    const attended = this.#normed(this.#attention(input), input);
    const inner = this.#gelu(this.#dense(attended, WIDTH, INNER_WIDTH));
    return this.#normed(this.#dense(inner, INNER_WIDTH, WIDTH), attended);
  }

  #attention(input: string): string {
    const graph = this.#graph;
    const shape = graph.ints([0, 0, HEADS, WIDTH / HEADS]);
    const heads = (...perm: number[]) =>
      graph.node('Transpose', [graph.node('Reshape', [this.#dense(input, WIDTH, WIDTH), shape])], { perm });
    const [queries, keys, values] = [heads(0, 2, 1, 3), heads(0, 2, 3, 1), heads(0, 2, 1, 3)];
    const products = graph.node('MatMul', [queries, keys]);
    const scaled = graph.node('Div', [products, graph.scalar(Math.sqrt(WIDTH / HEADS))]);
    const scores = graph.node('Softmax', [graph.node('Add', [scaled, this.#paddingBias])], { axis: -1 });
    const mixed = graph.node('Transpose', [graph.node('MatMul', [scores, values])], { perm: [0, 2, 1, 3] });
    return this.#dense(graph.node('Reshape', [mixed, graph.ints([0, 0, WIDTH])]), WIDTH, WIDTH);
  }

  #gelu(input: string): string {
    const graph = this.#graph;
    const curve = graph.node('Erf', [graph.node('Div', [input, graph.scalar(Math.SQRT2)])]);
    const gate = graph.node('Add', [curve, graph.scalar(1)]);
    return graph.node('Mul', [graph.node('Mul', [input, gate]), graph.scalar(0.5)]);
  }

  #dense(input: string, from: number, to: number): string {
    const product = this.#graph.node('MatMul', [input, this.#weights(from, to)]);
    return this.#graph.node('Add', [product, this.#weights(to)]);
  }

  #normed(change: string, input: string): string {
    const sum = this.#graph.node('Add', [change, input]);
    return this.#graph.node('LayerNormalization', [sum, this.#weights(WIDTH), this.#weights(WIDTH)], {
      axis: -1,
      epsilon: { float: NORM_EPSILON },
    });
  }

  #weights(...shape: number[]): string {
    const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
    for (let index = 0; index < values.length; index += 1) values[index] = (this.#random() - 0.5) * SPREAD;
    this.#tensors += 1;
    return this.#graph.floats(`weights_${this.#tensors}`, shape, new Uint8Array(values.buffer));
  }
}
