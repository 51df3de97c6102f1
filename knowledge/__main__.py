"""Entry point of `python -m knowledge`."""

from knowledge.cli import app

if __name__ == "__main__":
    app(prog_name="python -m knowledge")
