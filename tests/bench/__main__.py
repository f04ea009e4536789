"""`python -m tests.bench [FILE.json]`: a table on stdout, the same as JSON beside it."""

import sys
import tempfile
from pathlib import Path

from tests.bench.figures import table, write_json
from tests.bench.media import texts_beside_pictures
from tests.bench.push import from_wechat_to_screen

BENCHMARKS = (from_wechat_to_screen, texts_beside_pictures)
DEFAULT = Path("var/bench.json")


def main() -> int:
    figures = []
    for benchmark in BENCHMARKS:
        with tempfile.TemporaryDirectory() as folder:
            figures.append(benchmark(Path(folder)))
    print(table(figures))
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT
    write_json(figures, path)
    print(f"\n{path}")
    return 0 if all(one.is_good for one in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
