"""Ten samples of a run, unselected: the first ten seeds, into docs/samples.

python benchmarks/samples_generate.py RUN NAME [--prompt P] [--title T] [--length 300] [--temperature 0.8] [--form F]

With --form (jueju5, jueju7, lushi5, lushi7) they are poems under the rules of that form.
"""

import argparse
from pathlib import Path

from gruworks import Generator

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "samples"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("name")
    parser.add_argument("--prompt", default="")
    parser.add_argument("--title", default="")
    parser.add_argument("--length", type=int, default=300)
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--form", default="")
    options = parser.parse_args()
    generator = Generator.load(options.run)
    how = {"temperature": options.temperature, **({} if options.form else {"length": options.length})}
    parts = [f"# {options.name}: seeds 0 to 9, unselected\n"]
    facts = [f"{name} {value}" for name, value in how.items()]
    facts += [f"{name} {value!r}" for name in ("prompt", "title", "form") if (value := getattr(options, name))]
    fit = generator.metrics
    parts.append(
        f"{'; '.join(facts)}; {fit['parameters']:,} parameters, validation {fit['best_loss']:.4f} nats a symbol.\n"
    )
    for seed in range(10):
        if options.form:
            text = "\n".join(generator.verse(title=options.title, seed=seed, form=options.form, **how)[0])
        else:
            text = generator.write(options.prompt, title=options.title, seed=seed, **how)
        parts.append(f"## seed {seed}\n\n```text\n{options.prompt}{text.rstrip()}\n```\n")
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{options.name}.md").write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
