"""One engine's sentences a second at beam 5, printed as JSON: `gruworks` or `joeynmt`, the latter in its environment.

    python benchmarks/translate_engines.py gruworks --batch 64 --threads 2

Weights are random and no answer may end before as many symbols as its batch's longest source has, so that both engines
take the same steps over the same sentences; the end symbol is forbidden until then.
"""

import argparse
import json
import logging
import random
import time

import torch

SYMBOLS, SIZE, BEAM = 8000, 256, 5
COUNT = {1: 48, 64: 256}  # sentences by batch size


def sentences(count: int) -> list[list[int]]:
    """Lengths as in Multi30k's captions in subwords: 14 ± 4."""
    rng = random.Random(0)
    return sorted(
        ([rng.randrange(4, SYMBOLS) for _ in range(max(4, round(rng.gauss(14, 4))))] for _ in range(count)), key=len
    )


def gruworks():
    from gruworks.nn.decoding.beam_search import beam
    from gruworks.tasks.translate.config import Config
    from gruworks.tasks.translate.data import padded
    from gruworks.tasks.translate.decoding import NetDecoder
    from gruworks.tasks.translate.model import AttentionNet
    from gruworks.tasks.translate.subwords import BEGIN, END

    net = AttentionNet(SYMBOLS, SYMBOLS, True, SIZE, SIZE, attention_size=Config().attention_size).eval()
    with torch.no_grad():
        net.bias[END] = -1e9
    decoder = NetDecoder(net, eight_bits=True)

    def run(rows):
        batch = padded(rows)
        length = int(batch["source_lengths"].max())
        beam(decoder, decoder.start(batch), torch.full((len(rows),), BEGIN), END, length, BEAM, 1, 1.0)

    return run, net


def joeynmt():
    from types import SimpleNamespace

    from joeynmt.model import build_model
    from joeynmt.search import beam_search
    from joeynmt.vocabulary import Vocabulary

    special = {"unk": "<unk>", "pad": "<pad>", "bos": "<s>", "eos": "</s>"}
    names = {f"{name}_token": text for name, text in special.items()} | {
        f"{name}_id": i for i, name in enumerate(special)
    }
    settings = SimpleNamespace(**names, sep_token=None, sep_id=None, lang_tags=[])
    vocabulary = Vocabulary([f"w{i}" for i in range(SYMBOLS - 4)], settings)
    same = {"type": "recurrent", "rnn_type": "gru", "hidden_size": SIZE, "num_layers": 1, "dropout": 0.0}
    same |= {"embeddings": {"embedding_dim": SIZE}}
    net = build_model(
        {
            "tied_embeddings": True,
            "tied_softmax": True,
            "encoder": same | {"bidirectional": True},
            "decoder": same
            | {"hidden_dropout": 0.0, "input_feeding": True, "init_hidden": "bridge", "attention": "bahdanau"},
        },
        vocabulary,
        vocabulary,
    ).eval()

    def run(rows):
        rows = [[*row, 3] for row in rows]
        length = max(map(len, rows))
        source = torch.tensor([row + [1] * (length - len(row)) for row in rows])
        mask = (source != 1).unsqueeze(1)
        lengths = torch.tensor([len(row) for row in rows])
        order = lengths.argsort(descending=True)
        source, mask, lengths = source[order], mask[order], lengths[order]
        output, hidden, _, _ = net(return_type="encode", src=source, src_length=lengths, src_mask=mask)
        beam_search(net, BEAM, output, hidden, mask, length, 1.0, 1, min_output_length=length + 1)

    return run, net


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine", choices=("gruworks", "joeynmt"))
    parser.add_argument("--batch", type=int, choices=COUNT, required=True)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    logging.disable(logging.CRITICAL)
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    run, net = {"gruworks": gruworks, "joeynmt": joeynmt}[args.engine]()
    rows = sentences(COUNT[args.batch])
    run(rows[: args.batch])
    begun = time.perf_counter()
    for start in range(0, len(rows), args.batch):
        run(rows[start : start + args.batch])
    speed = len(rows) / (time.perf_counter() - begun)
    print(json.dumps({"speed": speed, "parameters": sum(p.numel() for p in net.parameters())}))


if __name__ == "__main__":
    main()
