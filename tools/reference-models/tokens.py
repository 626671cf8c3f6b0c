"""Writes seeded strings of every script, and the token ids that Python gives for them. Run by hand, see README.md."""

import json
import random
import sys
import unicodedata
from pathlib import Path

from tokenizers import Tokenizer

FOLDERS = ["bert-mean", "bert-cased", "roberta", "xlm-roberta", "qwen3-mean"]
WORDS = "the quick model is loaded and waits for Straße naïve café query: 2026 New York don't e.g. http://x.y/z".split()
SPACES = [" ", " ", " ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u3000", "\u200b", "\u2028"]
EMOJI = ["😀", "👩‍👩‍👧", "🏳️‍🌈", "👍🏽", "🇫🇷", "1️⃣", "❤️"]
MARKS = [chr(code) for code in range(0x300, 0x370)] + ["\u0651", "\u094d", "\u0e34", "\u20e3"]
SPECIALS = ["[CLS]", "[SEP]", "[MASK]", "[PAD]", "<s>", "</s>", "<mask>", "<|endoftext|>", "##a", "▁", "Ġ", "\ufffd"]
# Every assigned character but surrogates and private use, by block of 256, so that rare scripts come as often as Latin.
BLOCKS = {}
for code in range(0x20000 + 0x300):
    character = chr(code)
    if unicodedata.category(character) not in ("Cs", "Co", "Cn"):
        BLOCKS.setdefault(code >> 8, []).append(character)
BLOCK_LIST = list(BLOCKS.values())


def piece(source):
    kind = source.randrange(10)
    if kind < 3:
        return source.choice(WORDS)
    if kind < 6:
        block = source.choice(BLOCK_LIST)
        return "".join(source.choice(block) for _ in range(source.randint(1, 6)))
    if kind == 6:
        return source.choice(EMOJI)
    if kind == 7:
        return source.choice("aeiounAEIOUNäЖह") + "".join(source.choices(MARKS, k=source.randint(1, 4)))
    if kind == 8:
        return chr(source.choice([*range(0x20), *range(0x7F, 0xA0), 0xFEFF, 0xFFFE, 0x202E, 0x2066]))
    return source.choice(SPECIALS)


def string(source):
    return "".join(piece(source) + source.choice(["", source.choice(SPACES)]) for _ in range(source.randint(0, 8)))


def main():
    folders, target, number, seed = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    source = random.Random(seed)
    loaded = {}
    for name in FOLDERS:
        definition = json.loads((folders / name / "tokenizer.json").read_text())
        definition["truncation"] = definition["padding"] = None
        loaded[name] = Tokenizer.from_str(json.dumps(definition))
    with target.open("w") as out:
        for _ in range(number):
            text = string(source)
            ids = {name: tokenizer.encode(text).ids for name, tokenizer in loaded.items()}
            out.write(json.dumps({"text": text, "ids": ids}, separators=(",", ":")) + "\n")


main()
