"""`python -m gruworks`: the command line."""

from gruworks.app.cli.main import run

if __name__ == "__main__":
    run()
