"""
Makes the folders of libs/infrastructure/local-embeddings/fixture/reference-models: tiny models with random weights as
sentence-transformers saves them, an ONNX graph each, and `ref.json` with texts, that library's token ids and its vectors
(each text alone). Run by hand, see README.md.
"""

import json
import math
import shutil
import sys
from pathlib import Path

import onnxruntime
import sentence_transformers
import tokenizers
import torch
import transformers
from sentence_transformers import SentenceTransformer
from sentence_transformers.models import Dense, Dropout, LayerNorm, Normalize, Pooling, Transformer

import vocabularies
from graphs import export, for_one_length, for_one_text, quantize, spread, without_mask

HIDDEN = 8
SHAPE = dict(
    hidden_size=HIDDEN, num_hidden_layers=1, num_attention_heads=2, intermediate_size=12, initializer_range=0.4
)
BERT_INPUTS = ["input_ids", "attention_mask", "token_type_ids"]
TEXTS = [
    "hello world",
    "The Quick Brown Fox jumps over the lazy dog.",
    "a",
    "",
    "naïve café — résumé, Straße",
    "NEW YORK is a city",
    "line one\nline two\ttabbed   spaces",
    "日本語 and العربية and हिन्दी 👩‍👩‍👧 e\u0301",
    "the model of the service is loaded and the queue is full of texts that wait for a worker " * 4,
    "one more text, of some middling length, about vectors",
]


def bert(vocabulary, **more):
    config = transformers.BertConfig(vocab_size=vocabulary, max_position_embeddings=32, **SHAPE, **more)
    return transformers.BertModel(config, add_pooling_layer=False), BERT_INPUTS


def offset(kind, model, vocabulary, **more):
    """Kinds whose positions start behind the padding id."""
    config = kind(vocab_size=vocabulary, max_position_embeddings=26, type_vocab_size=1, pad_token_id=1, **SHAPE, **more)
    return model(config, add_pooling_layer=False), None


def roberta(vocabulary):
    return offset(transformers.RobertaConfig, transformers.RobertaModel, vocabulary)


def told_positions(vocabulary):
    network, _ = roberta(vocabulary)
    return network, ["input_ids", "attention_mask", "position_ids"]


def xlm_roberta(vocabulary):
    return offset(transformers.XLMRobertaConfig, transformers.XLMRobertaModel, vocabulary)


def data2vec(vocabulary):
    return offset(transformers.Data2VecTextConfig, transformers.Data2VecTextModel, vocabulary)


def mpnet(vocabulary):
    config = transformers.MPNetConfig(vocab_size=vocabulary, max_position_embeddings=26, pad_token_id=1, **SHAPE)
    return transformers.MPNetModel(config, add_pooling_layer=False), None


def distilbert(vocabulary):
    config = transformers.DistilBertConfig(
        vocab_size=vocabulary, max_position_embeddings=32, dim=HIDDEN, n_layers=1, n_heads=2, hidden_dim=12,
        initializer_range=0.4,
    )
    return transformers.DistilBertModel(config), None


def modernbert(vocabulary):
    config = transformers.ModernBertConfig(
        vocab_size=vocabulary, max_position_embeddings=64, pad_token_id=0, cls_token_id=2, sep_token_id=3,
        bos_token_id=2, eos_token_id=3, local_attention=8, global_attn_every_n_layers=2,
        **{**SHAPE, "num_hidden_layers": 2},
    )
    return transformers.ModernBertModel(config), None


def qwen3(vocabulary):
    config = transformers.Qwen3Config(
        vocab_size=vocabulary, max_position_embeddings=64, num_key_value_heads=1, head_dim=4, use_cache=False,
        pad_token_id=0, eos_token_id=0, bos_token_id=0, **SHAPE,
    )
    return transformers.Qwen3Model(config), None


def gpt2(vocabulary):
    config = transformers.GPT2Config(
        vocab_size=vocabulary, n_positions=24, n_embd=HIDDEN, n_layer=1, n_head=2, n_inner=12, initializer_range=0.4,
        use_cache=False, bos_token_id=0, eos_token_id=0,
    )
    return transformers.GPT2Model(config), None


def albert(vocabulary):
    config = transformers.AlbertConfig(vocab_size=vocabulary, embedding_size=HIDDEN, max_position_embeddings=32, **SHAPE)
    return transformers.AlbertModel(config, add_pooling_layer=False), BERT_INPUTS


def deberta_v2(vocabulary):
    config = transformers.DebertaV2Config(
        vocab_size=vocabulary, max_position_embeddings=32, relative_attention=True, position_buckets=8,
        norm_rel_ebd="layer_norm", share_att_key=True, pos_att_type="p2c|c2p", type_vocab_size=0,
        position_biased_input=False, **SHAPE,
    )
    return transformers.DebertaV2Model(config), None


def decoder(kind, model):
    """Networks that read from the left."""
    def network(vocabulary):
        config = kind(
            vocab_size=vocabulary, max_position_embeddings=64, num_key_value_heads=1, use_cache=False, pad_token_id=0,
            eos_token_id=0, bos_token_id=0, **SHAPE,
        )
        return model(config), None

    return network


def t5(vocabulary):
    # Positions are relative: this number limits nothing.
    config = transformers.T5Config(
        vocab_size=vocabulary, d_model=HIDDEN, d_kv=4, d_ff=12, num_layers=1, num_heads=2, n_positions=12,
        initializer_factor=2.0, use_cache=False,
    )
    return transformers.T5EncoderModel(config), None


def three_types(vocabulary):
    return bert(vocabulary, type_vocab_size=3)


def pooling(*modes, **more):
    return Pooling(HIDDEN, pooling_mode=modes if len(modes) > 1 else modes[0], **more)


def dense(size=4, activation=torch.nn.Tanh, **more):
    return Dense(HIDDEN, size, activation_function=activation(), **more)


def layer_norm():
    module = LayerNorm(HIDDEN)
    torch.nn.init.normal_(module.norm.weight)
    torch.nn.init.normal_(module.norm.bias)
    return module


PROMPTS = dict(prompts={"query": "query: ", "document": "passage: "}, default_prompt_name="query")
UNCASED = lambda: vocabularies.wordpiece(lower=True)  # noqa: E731
CASED = lambda: vocabularies.wordpiece(lower=False)  # noqa: E731


def specification(modules, tokenizer=UNCASED, network=bert, **more):
    return dict(modules=modules, tokenizer=tokenizer, network=network, **more)


MEAN = [lambda: pooling("mean"), Normalize]
CONFIG = "tokenizer_config.json"


def changed(**values):
    return lambda content: content.update(values)


def without(*names):
    return lambda content: [content.pop(name, None) for name in names]


def typed(content):
    for step, number in zip(content["post_processor"]["single"], [2, 1, 0]):
        next(iter(step.values()))["type_id"] = number


NEW_TOKEN = dict(content="[NEW]", lstrip=False, normalized=False, rstrip=False, single_word=False, special=False)
def class_named(name, **more):
    return {CONFIG: changed(tokenizer_class=name, **more)}


def single_digits(content):
    first = dict(type="Digits", individual_digits=True)
    content["pre_tokenizer"] = dict(type="Sequence", pretokenizers=[first, content["pre_tokenizer"]])


def shorter_words(content):
    content["model"]["max_input_chars_per_word"] = 20


SPACED = ["  ＦＵＬＬ  ｗｉｄｔｈ ½ ﬁne ", "``quoted'' (text) in 2026, don't", "[SEP] </s> <pad> <mask>"]
LEFT = dict(direction="Left", max_length=32, strategy="LongestFirst", stride=0)

FOLDERS = {
    "bert-cls": specification([lambda: pooling("cls"), Normalize]),
    "bert-cls-old": specification([lambda: pooling("cls"), Normalize], old=True),
    "bert-mean": specification(MEAN),
    "bert-max": specification([lambda: pooling("max")]),
    "bert-mean-sqrt-len": specification([lambda: pooling("mean_sqrt_len_tokens")]),
    "bert-mean-sqrt-len-old": specification([lambda: pooling("mean_sqrt_len_tokens")], old=True),
    "bert-weightedmean": specification([lambda: pooling("weightedmean"), Normalize]),
    "bert-lasttoken": specification([lambda: pooling("lasttoken"), Normalize]),
    "bert-concatenated": specification([lambda: pooling("mean", "lasttoken", "cls"), Normalize]),
    "bert-concatenated-old": specification([lambda: pooling("cls", "max", "mean"), Normalize], old=True),
    "bert-dense-tanh": specification([lambda: pooling("mean"), dense, Normalize]),
    "bert-dense-identity": specification([lambda: pooling("cls"), lambda: dense(12, torch.nn.Identity, bias=False)]),
    "bert-dense-relu": specification([lambda: pooling("mean"), lambda: dense(12, torch.nn.ReLU)]),
    "bert-dense-gelu": specification([lambda: pooling("mean"), lambda: dense(12, torch.nn.GELU)]),
    "bert-dense-sigmoid": specification([lambda: pooling("mean"), lambda: dense(6, torch.nn.Sigmoid)]),
    "bert-dense-silu": specification([lambda: pooling("mean"), lambda: dense(6, torch.nn.SiLU)]),
    "bert-dense-residual": specification([lambda: pooling("mean"), lambda: dense(4, use_residual=True)]),
    "bert-dense-twice": specification(
        [lambda: pooling("mean"), lambda: dense(HIDDEN, torch.nn.Identity), lambda: dense(5), Normalize]
    ),
    "bert-layer-norm": specification([lambda: pooling("mean"), layer_norm]),
    "bert-normalize-first": specification([lambda: pooling("mean"), Normalize, lambda: dense(4)]),
    "bert-prompts": specification(MEAN, settings=PROMPTS),
    "bert-prompt-excluded": specification(
        [lambda: pooling("mean", "cls", "weightedmean", include_prompt=False)], settings=PROMPTS
    ),
    "bert-cased": specification(MEAN, tokenizer=CASED),
    "bert-lower-case": specification(
        MEAN, tokenizer=CASED, transformer_settings=dict(max_seq_length=32, do_lower_case=True)
    ),
    "bert-max-seq-length": specification(
        MEAN, transformer_settings=dict(max_seq_length=12, do_lower_case=False)
    ),
    "bert-truncate-dim": specification(MEAN, settings=dict(truncate_dim=5)),
    "bert-cut-left": specification(MEAN, truncation_side="left"),
    "bert-in-subfolder": specification(MEAN, subfolder="0_Transformer"),
    "bert-graph-at-root": specification(MEAN, graph="model.onnx"),
    "bert-graph-pools": specification(MEAN, pools="embeddings"),
    "bert-graph-pools-dense": specification([lambda: pooling("mean"), dense, Normalize], pools="sentence_embedding"),
    "bert-int32": specification(MEAN, integers=torch.int32),
    "bert-external-data": specification(MEAN, data="weights.bin"),
    # What tokenizer_config.json says besides tokenizer.json.
    "bert-added-tokens": specification(
        MEAN, more_words=2, texts=["a [NEW] word and [MORE] words"],
        files={CONFIG: changed(added_tokens_decoder={"260": NEW_TOKEN}, additional_special_tokens=["[MORE]"])},
    ),
    "bert-class-lowers": specification(MEAN, CASED, files={CONFIG: changed(tokenizer_class="BertTokenizer")}),
    "bert-class-keeps-case": specification(
        MEAN, files={CONFIG: changed(tokenizer_class="BertTokenizer", do_lower_case=False)}
    ),
    "bert-cut-left-by-tokenizer": specification(
        MEAN, files={"tokenizer.json": changed(truncation=LEFT), CONFIG: without("truncation_side")}
    ),
    "bert-max-length-remnant": specification(MEAN, files={CONFIG: changed(max_length=12)}),
    # As if no file named a class: that of the network lowers.
    "bert-without-class": specification(MEAN, CASED, files={CONFIG: without("tokenizer_class")}),
    "roberta-prefix-space": specification(
        MEAN, vocabularies.byte_bpe, roberta,
        files={CONFIG: changed(tokenizer_class="RobertaTokenizer", add_prefix_space=True)},
    ),
    "bert-older-added-tokens": specification(
        MEAN, more_words=2, texts=["a [NEW] word and [MORE] words"],
        files={"added_tokens.json": changed(**{"[NEW]": 260, "[MORE]": 261}),
               "special_tokens_map.json": changed(additional_special_tokens=["[MORE]"])},
    ),
    # Special tokens that no file has but by name, those of its own template among them.
    "bert-named-tokens": specification(
        MEAN, more_words=6, texts=["[C] a [MSK] b  [MSK]c <image> and <boi> or <more> [P] [CLS]"],
        files=class_named(
            "BertTokenizer", cls_token="[C]", pad_token="[P]", image_token="<image>",
            mask_token=dict(NEW_TOKEN, content="[MSK]", lstrip=True, __type="AddedToken"),
            extra_special_tokens=dict(boi_token="<boi>"), additional_special_tokens=["<more>"],
        ),
    ),
    # A type of its own for the first token.
    "bert-token-types": specification(
        MEAN, network=three_types, files={"tokenizer.json": typed, CONFIG: changed(model_input_names=BERT_INPUTS)}
    ),
    # No word about which tokenizer it is: that of the network counts.
    "xlm-roberta-without-class": specification(
        MEAN, vocabularies.unigram, xlm_roberta, files={CONFIG: without("tokenizer_class")}
    ),
    "qwen3-without-class": specification(
        MEAN, vocabularies.causal, qwen3, files={CONFIG: without("tokenizer_class")}, texts=["in 2026, 123 and 456"]
    ),
    # Classes that make their steps themselves, with files that say something else; of ConvBERT the file counts.
    "albert": specification(MEAN, vocabularies.albert, albert, files=class_named("AlbertTokenizer"), texts=SPACED),
    "albert-keeps-case": specification(
        MEAN, vocabularies.albert, albert, texts=SPACED,
        files=class_named("AlbertTokenizer", do_lower_case=False, keep_accents=True, add_prefix_space=False),
    ),
    "deberta-v2": specification(
        MEAN, vocabularies.deberta_v2, deberta_v2, files=class_named("DebertaV2Tokenizer"), texts=SPACED
    ),
    "deberta-v2-signs": specification(
        MEAN, vocabularies.deberta_v2, deberta_v2, texts=SPACED,
        files=class_named("DebertaV2TokenizerFast", split_by_punct=True, do_lower_case=True),
    ),
    "llama": specification(
        [lambda: pooling("lasttoken"), Normalize], vocabularies.with_bytes, texts=SPACED,
        network=decoder(transformers.LlamaConfig, transformers.LlamaModel), files=class_named("LlamaTokenizer"),
    ),
    "bert-class-gemma": specification(
        MEAN, vocabularies.with_bytes, texts=SPACED[:2], files=class_named("GemmaTokenizer")
    ),
    "bert-class-clip": specification(MEAN, vocabularies.clip, texts=SPACED, files=class_named("CLIPTokenizer")),
    "bert-class-herbert": specification(
        MEAN, vocabularies.herbert, texts=SPACED, files=class_named("HerbertTokenizerFast")
    ),
    "bert-class-convbert": specification(MEAN, CASED, files=class_named("ConvBertTokenizer")),
    "bert-class-dpr": specification(
        MEAN, CASED, files=class_named("DPRQuestionEncoderTokenizer", do_lower_case=False)
    ),
    "bert-class-words": specification(
        MEAN, texts=["a" * 60], files={"tokenizer.json": shorter_words, **class_named("BertTokenizer")}
    ),
    # A network whose file counts whatever the class is, and one whose class counts whatever the file says.
    "granite": specification(
        MEAN, vocabularies.byte_bpe, decoder(transformers.GraniteConfig, transformers.GraniteModel),
        files={"tokenizer.json": single_digits, **class_named("GPT2Tokenizer")}, texts=SPACED,
    ),
    "qwen2": specification(
        [lambda: pooling("lasttoken"), Normalize], vocabularies.causal, texts=SPACED,
        network=decoder(transformers.Qwen2Config, transformers.Qwen2Model),
        files={"tokenizer.json": changed(normalizer=dict(type="Lowercase")), **class_named("PreTrainedTokenizerFast")},
    ),
    "t5": specification(MEAN, vocabularies.t5, t5, files=class_named("T5Tokenizer", extra_ids=0)),
    "bert-limit-of-tokenizer": specification(
        MEAN, transformer_settings=dict(max_seq_length=20, tokenizer_args=dict(model_max_length=12)),
    ),
    "bert-dropout": specification([lambda: pooling("mean"), lambda: Dropout(0.5), Normalize]),
    "bert-one-length-graph": specification(MEAN, change=for_one_length),
    # Graphs that give a text another vector beside others, or none.
    "bert-no-mask": specification(MEAN, change=without_mask),
    "bert-one-text-graph": specification(MEAN, change=for_one_text),
    # A weight that is no number, as the overflow of 16 bits leaves it: the token of "a".
    "bert-nan-token": specification(MEAN, nan="a"),
    "roberta": specification(MEAN, vocabularies.byte_bpe, roberta),
    "roberta-told-positions": specification(MEAN, vocabularies.byte_bpe, told_positions),
    "xlm-roberta": specification(MEAN, vocabularies.unigram, xlm_roberta),
    "xlm-roberta-table": specification(
        MEAN, vocabularies.unigram_with_table, xlm_roberta, files=class_named("XLMRobertaTokenizer"), texts=SPACED
    ),
    "mpnet": specification(MEAN, lambda: vocabularies.byte_bpe(), mpnet),
    "data2vec": specification(MEAN, vocabularies.byte_bpe, data2vec),
    "distilbert": specification([lambda: pooling("cls")], network=distilbert),
    "modernbert": specification([lambda: pooling("cls"), Normalize], network=modernbert),
    "gpt2": specification([lambda: pooling("lasttoken"), Normalize], vocabularies.causal, gpt2),
    "qwen3": specification([lambda: pooling("lasttoken"), Normalize], vocabularies.causal, qwen3, settings=PROMPTS),
    "qwen3-mean": specification(MEAN, vocabularies.causal, qwen3),
}


def make(name, specification, target):
    torch.manual_seed(sum(name.encode()))
    folder = target / name
    shutil.rmtree(folder, ignore_errors=True)
    work = target / f".{name}"
    tokenizer = specification["tokenizer"]()
    tokenizer.truncation_side = specification.get("truncation_side", "right")
    network, names = specification["network"](len(tokenizer) + specification.get("more_words", 0))
    if "nan" in specification:
        network.embeddings.word_embeddings.weight.data[tokenizer.convert_tokens_to_ids(specification["nan"])] = torch.nan
    network.eval().save_pretrained(work)
    limit = min(tokenizer.model_max_length, getattr(network.config, "max_position_embeddings", math.inf))
    if network.config.model_type in ("roberta", "xlm-roberta", "mpnet", "data2vec-text"):
        limit -= 2
    tokenizer.save_pretrained(work)
    transformer = Transformer(str(work))
    modules = [make_module() for make_module in specification["modules"]]
    model = SentenceTransformer(modules=[transformer, *modules], device="cpu", **specification.get("settings", {}))
    model.save_pretrained(str(folder), create_model_card=False)
    shutil.rmtree(work)
    if "transformer_settings" in specification:
        # Versions before 5.5 kept these here; today's put them into the tokenizer.
        (folder / "sentence_bert_config.json").write_text(json.dumps(specification["transformer_settings"]))
        model = SentenceTransformer(str(folder), device="cpu")
    for file, change in specification.get("files", {}).items():
        content = json.loads((folder / file).read_text()) if (folder / file).exists() else {}
        change(content)
        (folder / file).write_text(json.dumps(content))
        model = SentenceTransformer(str(folder), device="cpu")
    pools = specification.get("pools")
    graph = folder / specification.get("graph", "onnx/model.onnx")
    export(
        transformer.model, graph, names=names, output=pools or "last_hidden_state", rest=modules if pools else (),
        integers=specification.get("integers", torch.int64),
    )
    if "data" in specification:
        spread(graph, specification["data"])
    if "change" in specification:
        specification["change"](graph)
    # Longer texts than this end in an error of the library where positions start behind the padding id.
    model.max_seq_length = min(model.max_seq_length, limit)
    write_reference(model, folder, [*TEXTS, *specification.get("texts", [])])
    tidy(folder, specification)


def write_reference(model, folder, texts):
    rows = []
    for text in texts:
        prompt = model.prompts.get(model.default_prompt_name or "", "")
        ids = model.tokenizer(prompt + text, truncation=True, max_length=model.max_seq_length)["input_ids"]
        vector = model.encode([text], batch_size=1, convert_to_numpy=True)[0]
        # JSON has no NaN.
        values = [float(f"{value:.8g}") for value in vector.tolist()] if math.isfinite(vector[0]) else None
        rows.append({"text": text, "ids": ids, "vector": values})
    (folder / "ref.json").write_text(json.dumps(rows, ensure_ascii=True) + "\n")


def tidy(folder, specification):
    """Leaves what the server reads, without white space; puts older spellings and places where they are asked for."""
    for file in [*folder.glob("*.safetensors"), *folder.glob("README.md"), *folder.glob(".gitattributes")]:
        file.unlink()
    if specification.get("old"):
        pooling_file = folder / "1_Pooling/config.json"
        settings = json.loads(pooling_file.read_text())
        modes = settings["pooling_mode"]
        modes = [modes] if isinstance(modes, str) else modes
        spelling = dict(cls="cls_token", max="max_tokens", mean="mean_tokens", weightedmean="weightedmean_tokens")
        flags = {
            f"pooling_mode_{spelling.get(mode, mode)}": mode in modes
            for mode in ["cls", "mean", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"]
        }
        pooling_file.write_text(json.dumps({"word_embedding_dimension": HIDDEN, **flags}))
        modules_file = folder / "modules.json"
        modules = json.loads(modules_file.read_text())
        for module in modules:
            module["type"] = "sentence_transformers.models." + module["type"].split(".")[-1]
        modules_file.write_text(json.dumps(modules))
        for leftover in folder.glob("*_Normalize"):
            shutil.rmtree(leftover)
    if "subfolder" in specification:
        inner = folder / specification["subfolder"]
        inner.mkdir()
        for item in list(folder.iterdir()):
            if item.name in ("config.json", "sentence_bert_config.json", "onnx") or item.name.startswith("tokenizer"):
                item.rename(inner / item.name)
        modules_file = folder / "modules.json"
        modules = json.loads(modules_file.read_text())
        modules[0]["path"] = specification["subfolder"]
        modules_file.write_text(json.dumps(modules))
    for file in folder.rglob("*.json"):
        if file.name != "ref.json":
            file.write_text(json.dumps(json.loads(file.read_text()), ensure_ascii=True, separators=(",", ":")) + "\n")


def main():
    target = Path(sys.argv[1])
    chosen = sys.argv[2:] or FOLDERS
    target.mkdir(parents=True, exist_ok=True)
    for name in chosen:
        make(name, FOLDERS[name], target)
        print(name, flush=True)
        if name in ("bert-mean", "qwen3"):
            quantize(target / name / "onnx/model.onnx", target.parent / f"{name}-quantized.onnx")
    versions = {
        library.__name__: library.__version__
        for library in [torch, transformers, sentence_transformers, tokenizers, onnxruntime]
    }
    (target / "versions.json").write_text(json.dumps({"python": sys.version.split()[0], **versions}, indent=2) + "\n")


main()
