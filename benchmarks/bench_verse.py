"""Share of Tang poems that keep the rules of regulated verse, and poems of each form from an n-gram model under them.

    python benchmarks/bench_verse.py [--poems 1000]

The Tang set holds every poem of 4 or 8 lines of 5 or 7, the irregular ones (古絕, 古風) among them. The n-gram model is
an interpolated Kneser-Ney 5-gram of the train poems; the judge shares with the rules nothing but the table of sounds.
"""

import argparse
import gzip
import json
from collections import Counter

import torch
from record import record, write

from gruworks.data.catalogue import find
from gruworks.nn.decoding.ngram import NGramDecoder
from gruworks.ops.language_model.kneser_ney import KneserNey
from gruworks.tasks.generate.verse import writing
from gruworks.tasks.generate.verse.checker import check
from gruworks.tasks.generate.verse.constraint import VerseConstraint
from gruworks.tasks.generate.verse.forms import FORMS, VerseOptions, find_form
from gruworks.tasks.generate.verse.rhyme import rhyme_table

SPECIALS = ["<unknown>", "<begin>", "<end>", "\n"]
BEGIN, END, NEWLINE = 1, 2, 3
RHYMES = {"用韻"}


def real(poems: list[dict]) -> list[dict[str, object]]:
    """The rates of the real poems, form by form."""
    table = rhyme_table()
    characters = Counter(character for poem in poems for line in poem["lines"] for character in line)
    lacking = [one for one in characters if not table.tones(one)]
    share = sum(characters[one] for one in lacking) / characters.total()
    print(f"the table lacks {len(lacking)} of {len(characters)} characters, {share:.4%} of the text:")
    print("".join(sorted(lacking, key=lambda one: -characters[one])))
    found: dict[str, list[list]] = {form: [] for form in FORMS}
    for poem in poems:
        found[find_form(poem["form"]).name].append([poem["lines"], check(poem["lines"])])
    records = []
    for form, judged in found.items():
        shares = [_share_a_group(lines) for lines, _ in judged]
        whole = sum(report.ok for _, report in judged) / len(judged)
        rules = Counter(rule for _, report in judged for rule in {fault.rule for fault in report.faults})
        note = f"{len(judged)} poems; poems with a fault of: " + ", ".join(f"{a} {b}" for a, b in rules.most_common())
        print(f"{form}: {sum(shares) / len(judged):.3f} share a level group, {whole:.3f} keep all rules; {note}")
        records += [
            record(
                f"verse/tang-{form}/rhyme", sum(shares) / len(judged), note=f"even lines share one level group; {note}"
            ),
            record(f"verse/tang-{form}/regular", whole, note=f"no fault at all; {note}"),
        ]
    return records


def _share_a_group(lines: list[str]) -> bool:
    groups = [set(rhyme_table().groups(line[-1])) for line in lines[1::2]]
    return bool(set.intersection(*groups))


def ruled(poems: list[dict], count: int) -> list[dict[str, object]]:
    """`count` poems of each form under the rules, their compliance and price."""
    texts = ["".join(f"{line}\n" for line in poem["lines"]) for n, poem in enumerate(poems) if n % 20 > 1]
    symbols = [*SPECIALS, *sorted(set("".join(texts)) - {"\n"})]
    numbers = {symbol: number for number, symbol in enumerate(symbols)}
    model = KneserNey([[*(numbers[one] for one in text), END] for text in texts], len(symbols))
    decoder, context, records = NGramDecoder(model, BEGIN), torch.tensor([BEGIN]), []
    for form in FORMS:
        rules = VerseConstraint(VerseOptions(form=form), symbols, NEWLINE, END)
        tokens = writing.write(decoder, context, rules, count)
        reports = [check(poem, form) for poem in writing.poems(tokens, symbols, rules)]
        kept, price = sum(report.ok for report in reports) / count, writing.price(decoder, context, rules, tokens[:200])
        print(f"{form}: {kept:.4f} of {count} keep all rules; {price}")
        note = (
            f"{count} poems, temperature 1, seed 0; perplexity of 200: {price.free:.1f} free, {price.ruled:.1f} ruled"
        )
        records.append(record(f"verse/kn5-{form}/compliance", kept, note=note))
    return records


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--poems", type=int, default=1000)
    count = parser.parse_args().poems
    rows = gzip.decompress(find("tang-poems")["tang-poems.jsonl.gz"].read_bytes()).decode().splitlines()
    poems = [json.loads(row) for row in rows]
    write("verse", real(poems))
    write("verse", ruled(poems, count))


if __name__ == "__main__":
    main()
