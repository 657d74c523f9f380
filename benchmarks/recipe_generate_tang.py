"""Tang poems: perplexity per character on the test poems over an interpolated Kneser-Ney 5-gram's.

    python benchmarks/recipe_generate_tang.py --out RUN [--minutes M] [--seed 0]

Every 20th poem is test and the one after it validates. Each poem is read apart: begin, its lines, each with its end,
and an end symbol; both models predict the same symbols and know nothing of the title.
"""

from generation import arguments, fitted, poems

SETTINGS = {"hidden_size": 256, "layers": 2, "sequence": 64, "min_count": 2, "documents": "apart"}
SETTINGS |= {"dropout": 0.1, "drop_input": 0.05, "drop_output": 0.2}
SETTINGS |= {"batch_size": 32, "learning_rate": 5e-3, "steps": 2000, "validate_every": 250}


def main() -> None:
    options = arguments(__doc__, minutes=60).parse_args()
    fitted(SETTINGS, poems(set(range(2, 20))), poems({1}), options)


if __name__ == "__main__":
    main()
