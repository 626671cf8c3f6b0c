"""
Makes the folders of libs/infrastructure/local-embeddings/fixture/reference-rankers: tiny cross-encoders with random
weights as sentence-transformers saves them, an ONNX graph each, and `ref.json` with pairs, that library's token ids and its
scores, raw and between 0 and 1 (each pair alone). Run by hand, see README.md.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
import transformers
from sentence_transformers import CrossEncoder
from sentence_transformers.models import Dense, LayerNorm, Pooling, Transformer

import vocabularies
from graphs import export, export_logits

SHAPE = dict(
    hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=12, initializer_range=0.6
)
BERT_INPUTS = ["input_ids", "attention_mask", "token_type_ids"]
LONG = "the model of the service is loaded and the queue is full of texts that wait for a worker " * 2
PAIRS = [
    ["what is a fox", "The quick brown fox jumps over the lazy dog."],
    ["what is a fox", "London is a city"],
    ["what is a fox", "naïve café — résumé, Straße"],
    ["what is a fox", LONG],
    [LONG, "a short answer"],
    [LONG, LONG + "and another one"],
    ["日本語", "अ 👩‍👩‍👧 e\u0301"],
    ["a", "b"],
]
# Both texts above the limit, with words of many tokens where the library stops reading: which of them counts as the longer one,
# and so gets the odd token, depends on where these end.
WORDS_AT_THE_LIMIT = [
    ["wait service the for is of for antidisestablishment is is service service is queue the",
     "for [SEP] queue service loaded service a model is [SEP] antidisestablishment a loaded is queue texts a"],
    ["is antidisestablishment queue wait a of for service the [MASK] of loaded [SEP] [SEP] full wait",
     "service is service texts model of full [MASK] queue antidisestablishment the full full queue texts of"],
    ["queue texts antidisestablishment worker that the worker full a is for full worker model is texts and wait",
     "[MASK] full antidisestablishment the and of [SEP] the queue for model queue wait wait is of antidisestablishment worker"],
    ["the service service the and of [MASK] a model worker is antidisestablishment the and",
     "loaded for worker antidisestablishment queue texts is the the queue [SEP] and of and the antidisestablishment"],
    ["of the of queue [SEP] that loaded queue texts is [MASK] [SEP] antidisestablishment of of",
     "that and and wait the queue the wait wait full the worker antidisestablishment the loaded that of loaded"],
    ["the loaded antidisestablishment that worker wait the antidisestablishment [SEP] texts queue the that of the is that",
     "queue for and for is and service is the and texts the antidisestablishment texts of and service"],
]
MORE_PAIRS = {
    "bert": WORDS_AT_THE_LIMIT,
    "bert-cut-left": WORDS_AT_THE_LIMIT,
    # What the table of sentencepiece would change, which this class leaves out.
    "deberta-v2-class": [[" ＦＵＬＬ  ｗｉｄｔｈ", "½ ﬁne "]],
    # Both above the limit: neither counts as the longer one then, and the second keeps the odd token.
    "modernbert-modules": [[LONG + "and another one", LONG], [LONG * 9, LONG * 2]],
}


def bert(vocabulary, labels):
    config = transformers.BertConfig(vocab_size=vocabulary, max_position_embeddings=32, num_labels=labels, **SHAPE)
    return transformers.BertForSequenceClassification(config), BERT_INPUTS


def xlm_roberta(vocabulary, labels):
    config = transformers.XLMRobertaConfig(
        vocab_size=vocabulary, max_position_embeddings=34, type_vocab_size=1, pad_token_id=1, num_labels=labels, **SHAPE
    )
    return transformers.XLMRobertaForSequenceClassification(config), BERT_INPUTS[:2]


def roberta(vocabulary, labels):
    config = transformers.RobertaConfig(
        vocab_size=vocabulary, max_position_embeddings=34, type_vocab_size=1, pad_token_id=1, num_labels=labels, **SHAPE
    )
    return transformers.RobertaForSequenceClassification(config), BERT_INPUTS[:2]


def deberta_v2(vocabulary, labels):
    config = transformers.DebertaV2Config(
        vocab_size=vocabulary, max_position_embeddings=32, relative_attention=True, position_buckets=8,
        norm_rel_ebd="layer_norm", share_att_key=True, pos_att_type="p2c|c2p", type_vocab_size=0,
        position_biased_input=False, num_labels=labels, **SHAPE,
    )
    return transformers.DebertaV2ForSequenceClassification(config), BERT_INPUTS[:2]


def modernbert(vocabulary, labels):
    config = transformers.ModernBertConfig(
        vocab_size=vocabulary, max_position_embeddings=32, pad_token_id=0, cls_token_id=2, sep_token_id=3,
        bos_token_id=2, eos_token_id=3, local_attention=8, global_attn_every_n_layers=2,
        **{**SHAPE, "num_hidden_layers": 2},
    )
    return transformers.ModernBertModel(config), BERT_INPUTS[:2]


def head():
    """What makes scores of the vectors of tokens, as the rerankers of Ettin have it."""
    norm = LayerNorm(8)
    torch.nn.init.normal_(norm.norm.weight)
    torch.nn.init.normal_(norm.norm.bias)
    score = Dense(8, 1, activation_function=torch.nn.Identity(), module_output_name="scores")
    return [Pooling(8, pooling_mode="cls"), Dense(8, 8, bias=False, activation_function=torch.nn.GELU()), norm, score]


FOLDERS = {
    "bert": (bert, lambda: vocabularies.paired(vocabularies.wordpiece(lower=True)), 1),
    "bert-cut-left": (bert, lambda: vocabularies.paired(vocabularies.wordpiece(lower=True)), 1),
    "bert-untold": (bert, lambda: vocabularies.paired(vocabularies.wordpiece(lower=True)), 1),
    "distilbert-class": (bert, lambda: vocabularies.paired(vocabularies.wordpiece(lower=True)), 1),
    "roberta-class": (roberta, vocabularies.byte_bpe, 1),
    "deberta-v2-class": (deberta_v2, vocabularies.deberta_v2, 1),
    "xlm-roberta": (xlm_roberta, vocabularies.unigram, 1),
    "modernbert-modules": (modernbert, lambda: vocabularies.paired(vocabularies.wordpiece(lower=True)), 1),
    "bert-three-labels": (bert, lambda: vocabularies.paired(vocabularies.wordpiece(lower=True)), 3),
}


# Modules behind a network that is no classifier.
HEADS = {"modernbert-modules": head}
# As the tokenizers of BERT say it; the class of this one does not.
TOLD = dict(model_input_names=["input_ids", "token_type_ids", "attention_mask"])
# What tokenizer_config.json says besides. The classes put pairs together in their own way, whatever tokenizer.json says.
SETTINGS = {
    "bert": TOLD,
    "bert-cut-left": dict(**TOLD, truncation_side="left"),
    "distilbert-class": dict(tokenizer_class="DistilBertTokenizer"),
    "roberta-class": dict(tokenizer_class="RobertaTokenizer", add_prefix_space=True),
    "deberta-v2-class": dict(tokenizer_class="DebertaV2Tokenizer"),
}


def make(name, target):
    torch.manual_seed(sum(name.encode()))
    network_of, tokenizer_of, labels = FOLDERS[name]
    folder, work = target / name, target / f".{name}"
    shutil.rmtree(folder, ignore_errors=True)
    tokenizer = tokenizer_of()
    network, names = network_of(len(tokenizer), labels)
    network.eval().save_pretrained(work)
    tokenizer.save_pretrained(work)
    modules = [Transformer(str(work)), *HEADS[name]()] if name in HEADS else None
    model = CrossEncoder(None if modules else str(work), modules=modules, device="cpu")
    model.save_pretrained(str(folder), create_model_card=False)
    shutil.rmtree(work)
    settings = {**json.loads((folder / "tokenizer_config.json").read_text()), **SETTINGS.get(name, {})}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    model = CrossEncoder(str(folder), device="cpu")
    if name in HEADS:
        export(network, folder / "onnx/model.onnx", names=names)
    else:
        export_logits(network, folder / "onnx/model.onnx", names)
    rows = []
    for pair in [*PAIRS, *MORE_PAIRS.get(name, [])] if labels == 1 else []:
        ids = model.tokenizer(*pair, truncation=True, max_length=32)["input_ids"]
        raw, score = (model.predict([pair], activation_fn=act)[0] for act in (torch.nn.Identity(), None))
        rows.append({"query": pair[0], "text": pair[1], "ids": ids, "raw": float(raw), "score": float(score)})
    (folder / "ref.json").write_text(json.dumps(rows, ensure_ascii=True) + "\n")
    # Those of modules are read, that of the network is in the graph.
    for file in [*folder.glob("*.safetensors"), *folder.glob("README.md"), *folder.glob(".gitattributes")]:
        file.unlink()
    for file in folder.rglob("*.json"):
        if file.name != "ref.json":
            file.write_text(json.dumps(json.loads(file.read_text()), ensure_ascii=True, separators=(",", ":")) + "\n")


def main():
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or FOLDERS:
        make(name, target)
        print(name, flush=True)


main()
