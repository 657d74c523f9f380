"""The novel 红楼梦 by character: perplexity on its last tenth over an interpolated Kneser-Ney 5-gram's.

    python benchmarks/recipe_generate_hongloumeng.py --out RUN [--minutes M] [--seed 0]

The first 85.5 % of the characters are learnt from, the next 4.5 % validate, the last 10 % are the test, read once with
the state carried. Characters met less than twice are one unknown symbol, for both models. The 5-gram counts all of the
first 90 %.
"""

from generation import arguments, fitted, text

from gruworks.data.text import Document

SETTINGS = {"hidden_size": 256, "layers": 2, "sequence": 64, "min_count": 2, "restart": 0.02}
SETTINGS |= {"dropout": 0.15, "drop_input": 0.1, "drop_output": 0.25}
SETTINGS |= {"batch_size": 16, "learning_rate": 5e-3, "steps": 3000, "validate_every": 250}


def main() -> None:
    options = arguments(__doc__, minutes=60).parse_args()
    whole = text("hongloumeng.txt")
    learnt, held_out, _ = (whole[: int(0.855 * len(whole))], whole[int(0.855 * len(whole)) : int(0.9 * len(whole))], 0)
    fitted(SETTINGS, [Document(learnt)], [Document(held_out)], options)


if __name__ == "__main__":
    main()
