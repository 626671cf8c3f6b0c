"""
Makes the folders of libs/infrastructure/local-embeddings/fixture/reference-statics: tiny static models with random vectors,
and `ref.json` with texts, token ids and vectors (each text alone). Those that have a `modules.json` which sentence-transformers
obeys are saved by it, and have its vectors; the others are laid out as Model2Vec writes them, and have what its published
algorithm gives (`model2vec` itself is not needed). Run by hand, see README.md.
"""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from safetensors.torch import load_file, save_file as save_torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.models import Dense, LayerNorm, Normalize, StaticEmbedding
from tokenizers import Tokenizer

import vocabularies

WIDTH = 8
TEXTS = [
    "hello world",
    "The Quick Brown Fox jumps over the lazy dog.",
    "a",
    "naïve café — résumé, Straße",
    "NEW YORK is a city, [SEP] and [UNK] is none",
    "line one\nline two\ttabbed   spaces",
    "日本語 and العربية and हिन्दी 👩‍👩‍👧 e\u0301",
    "the model of the service is loaded and the queue is full of texts that wait for a worker " * 4,
]
# Above the limit of Model2Vec, which leaves out characters beyond 512 times the median length of its tokens as well: those of
# the Unigram here are too short for it.
LONG = "a b c " * 250
WORDPIECE = lambda: vocabularies.wordpiece(lower=True)  # noqa: E731


def layer_norm():
    module = LayerNorm(4)
    torch.nn.init.normal_(module.norm.weight)
    torch.nn.init.normal_(module.norm.bias)
    return module


def dense():
    return Dense(WIDTH, 4, activation_function=torch.nn.Tanh())


def truncation(side):
    return dict(direction=side, max_length=12, strategy="LongestFirst", stride=0)


OLD = "sentence_transformers.models."
# Folders of sentence-transformers.
SENTENCE = {
    "mean": dict(modules=[]),
    "normalize-old": dict(modules=[Normalize], subfolder="0_StaticEmbedding", old=True),
    "modules": dict(modules=[dense, layer_norm, Normalize]),
    "prompts": dict(
        modules=[Normalize],
        settings=dict(prompts={"query": "query: ", "document": "passage: "}, default_prompt_name="query", truncate_dim=5),
    ),
    "byte-bpe": dict(modules=[Normalize], tokenizer=vocabularies.byte_bpe),
    "unigram": dict(modules=[Normalize], tokenizer=vocabularies.unigram),
    "cut-right": dict(modules=[], truncation=truncation("Right")),
    "cut-left": dict(modules=[], truncation=truncation("Left")),
    "half": dict(modules=[Normalize], dtype=torch.float16),
    "bfloat": dict(modules=[Normalize], dtype=torch.bfloat16),
    "double": dict(modules=[Normalize], dtype=torch.float64),
    # As Model2Vec writes folders: sentence-transformers opens them.
    "of-model2vec": dict(modules=[Normalize], model2vec=True, old=True),
}
# Folders that only Model2Vec reads as they are meant.
MODEL2VEC = {
    "model2vec": dict(modules=False),
    "model2vec-unscaled": dict(modules=False, normalize=False),
    "model2vec-weights": dict(weights=np.float64),
    "model2vec-mapping": dict(mapping=np.int64, weights=np.float32, table=np.float16),
    "model2vec-mapping-int32": dict(mapping=np.int32),
    "model2vec-int8": dict(table=np.int8),
    "model2vec-unigram": dict(modules=False, tokenizer=vocabularies.unigram, long=False),
}


def number(vector):
    return [float(f"{value:.8g}") for value in vector]


def write(folder, rows):
    (folder / "ref.json").write_text(json.dumps(rows, ensure_ascii=True) + "\n")
    for file in folder.rglob("*.json"):
        if file.name != "ref.json":
            file.write_text(json.dumps(json.loads(file.read_text()), ensure_ascii=True, separators=(",", ":")) + "\n")


def make_sentence(name, folder, *, modules, tokenizer=WORDPIECE, settings={}, **more):
    tokens = tokenizer()
    first = StaticEmbedding(tokens, embedding_dim=WIDTH)
    model = SentenceTransformer(modules=[first, *(module() for module in modules)], device="cpu", **settings)
    model.save_pretrained(str(folder), create_model_card=False)
    modules_file = folder / "modules.json"
    entries = json.loads(modules_file.read_text())
    if more.get("old"):
        for entry in entries:
            entry["type"] = OLD + entry["type"].split(".")[-1]
        shutil.rmtree(folder / "1_Normalize")
    if "subfolder" in more:
        entries[0]["path"] = more["subfolder"]
        (folder / more["subfolder"]).mkdir()
        for file in ["model.safetensors", "tokenizer.json"]:
            (folder / file).rename(folder / more["subfolder"] / file)
    if more.get("model2vec"):
        entries[0]["path"] = "."
        table = load_file(folder / "model.safetensors")["embedding.weight"]
        save_torch({"embeddings": table}, folder / "model.safetensors")
        (folder / "config.json").write_text(json.dumps(config_of(True)))
        (folder / "config_sentence_transformers.json").unlink()
    modules_file.write_text(json.dumps(entries))
    if "truncation" in more:
        file = folder / "tokenizer.json"
        content = {**json.loads(file.read_text()), "truncation": more["truncation"]}
        file.write_text(json.dumps(content))
    if "dtype" in more:
        table = load_file(folder / "model.safetensors")["embedding.weight"].to(more["dtype"])
        save_torch({"embedding.weight": table}, folder / "model.safetensors")
    # As it is opened from the folder. The server computes in 32 bits whatever the table has.
    model = SentenceTransformer(str(folder), device="cpu").float()
    rows = []
    for text in TEXTS:
        prompt = model.prompts.get(model.default_prompt_name or "", "")
        ids = model[0].tokenizer.encode_batch([prompt + text], add_special_tokens=False)[0].ids
        rows.append({"text": text, "ids": ids, "vector": number(model.encode([text])[0].tolist())})
    write(folder, rows)


def config_of(normalize):
    return dict(
        model_type="model2vec", architectures=["StaticModel"], tokenizer_name="tiny", hidden_dim=WIDTH,
        seq_length=1000000, normalize=normalize,
    )


def make_model2vec(folder, *, tokenizer=WORDPIECE, modules=True, normalize=True, table=np.float32, weights=None, mapping=None, long=True):
    folder.mkdir(parents=True)
    tokenizer = tokenizer()._tokenizer
    tokens = tokenizer.get_vocab_size()
    draw = np.random.default_rng(tokens + len(folder.name))
    vectors = draw.normal(size=(40 if mapping else tokens, WIDTH))
    vectors = np.round(vectors * 40).astype(np.int8) if table == np.int8 else vectors.astype(table)
    tensors = {"embeddings": vectors}
    if weights:
        tensors["weights"] = draw.uniform(0.1, 2, size=tokens).astype(weights)
    if mapping:
        tensors["mapping"] = draw.integers(0, len(vectors), size=tokens).astype(mapping)
    save_file(tensors, folder / "model.safetensors")
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps(config_of(normalize)))
    if modules:
        entries = [dict(idx=0, name="0", path=".", type=f"{OLD}StaticEmbedding")]
        if normalize:
            entries.append(dict(idx=1, name="1", path="1_Normalize", type=f"{OLD}Normalize"))
        (folder / "modules.json").write_text(json.dumps(entries))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    write(folder, [encode(text, tokenizer, tensors, normalize) for text in [*TEXTS, *([LONG] if long else [])]])


def encode(text, tokenizer, tensors, normalize):
    """What Model2Vec does: the mean of the vectors of the first 512 tokens that are known, each times its weight."""
    vocabulary = tokenizer.get_vocab()
    model = json.loads(tokenizer.to_str())["model"]
    unknown = model["unk_id"] if model["type"] == "Unigram" else vocabulary[model["unk_token"]]
    median = int(np.median([len(token) for token in vocabulary]))
    ids = tokenizer.encode_batch([text[: 512 * median]], add_special_tokens=False)[0].ids
    ids = [token for token in ids if token != unknown][:512]
    table, weights, mapping = (tensors.get(name) for name in ["embeddings", "weights", "mapping"])
    vectors = table[ids if mapping is None else mapping[ids]].astype(np.float64)
    if weights is not None:
        vectors = vectors * weights[ids][:, None]
    vector = vectors.mean(axis=0)
    if normalize:
        vector = vector / (np.linalg.norm(vector) + 1e-32)
    return {"text": text, "ids": ids, "vector": number(vector.tolist())}


def main():
    target = Path(sys.argv[1])
    for name in sys.argv[2:] or [*SENTENCE, *MODEL2VEC]:
        torch.manual_seed(sum(name.encode()))
        shutil.rmtree(target / name, ignore_errors=True)
        if name in SENTENCE:
            make_sentence(name, target / name, **SENTENCE[name])
        else:
            make_model2vec(target / name, **MODEL2VEC[name])
        print(name, flush=True)


main()
