"""`python -m tests.faults.run --kills 200 --seed 7 --workers 2`: the long proof, and the fragment for the documents.

Each worker is a storm of its own, in a process of its own, with its share of the kills. Exits with 1 unless all is 0.
"""

import argparse
import asyncio
import logging
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.faults.harness import Storm
from tests.faults.report import Report, added_up, from_json, markdown, surroundings


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.run", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--database-url", default="", help="a PostgreSQL for one worker; SQLite when empty")
    parser.add_argument("--keep", type=Path, help="a folder for data, logs and report.json; else they are thrown away")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="atelier-faults-") as thrown_away:
        folder = options.keep or Path(thrown_away)
        folder.mkdir(parents=True, exist_ok=True)
        report = _one(folder, options) if options.workers == 1 else _several(folder, options)
        (folder / "report.json").write_text(report.to_json())
    print(markdown(report, about=f"{surroundings()}, seed {options.seed}, {options.workers} workers."))
    for problem in report.problems:
        print(f"PROBLEM {problem}", file=sys.stderr)
    return 1 if report.problems else 0


def _one(folder: Path, options: argparse.Namespace) -> Report:
    logging.basicConfig(level=logging.CRITICAL)
    storm = Storm(folder, kills=options.kills, seed=options.seed, database_url=options.database_url)
    return asyncio.run(storm.run())


def _several(folder: Path, options: argparse.Namespace) -> Report:
    running = {}
    for number in range(options.workers):
        kills = len(range(number, options.kills, options.workers))
        place = folder / f"worker-{number}"
        seed = options.seed * 1000 + number
        command = [sys.executable, "-m", "tests.faults.run", "--workers", "1", "--kills", str(kills)]
        running[place] = subprocess.Popen(
            [*command, "--seed", str(seed), "--keep", str(place)], stdout=subprocess.DEVNULL
        )
    for worker in running.values():
        worker.wait()
    if broken := [str(place) for place in running if not (place / "report.json").is_file()]:
        sys.exit(f"These workers ended without a report; use --keep to read their logs: {', '.join(broken)}")
    return added_up(from_json((place / "report.json").read_text()) for place in running)


if __name__ == "__main__":
    sys.exit(main())
