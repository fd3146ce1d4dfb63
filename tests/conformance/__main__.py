"""Judge the conversions of all files of a folder: ``make conformance CORPUS=DIR [REPORT=FILE]``."""

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import structlog
from tqdm import tqdm

from imageconverter.settings import WorkerSettings
from services.worker.sandbox.pool import SandboxPool
from tests.conformance import html_report
from tests.conformance.conversion import LIMITS
from tests.conformance.corpus import CorpusFile, files_of
from tests.conformance.readers import READERS, Reader
from tests.conformance.reading import Surroundings
from tests.conformance.results import Result, Results
from tests.conformance.session import Session
from tests.conformance.verdicts import Verdict


def main() -> int:
    """Judge, write the report and print a summary; returns 1 if an image is wrong or was refused wrongly."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__.partition("\n")[0])
    parser.add_argument("corpus", type=Path, help="a folder with image files")
    parser.add_argument("--report", type=Path, default=Path("conformance.html"), help="default: %(default)s")
    parser.add_argument("--at-once", type=int, default=2, metavar="N", help="files at a time; default: %(default)s")
    parser.add_argument(
        "--python", type=_program, default=sys.executable, help="the one that runs readers written in Python"
    )
    options = parser.parse_args()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr), processors=[_silence])
    files = list(files_of(options.corpus))
    readers = [each for each in READERS if each.is_installed(options.python)]
    results = asyncio.run(_judge(options.corpus, files, readers, options))
    missing = [each.name for each in READERS if each not in readers]
    names = [each.name for each in readers]
    options.report.write_text(html_report.render(options.corpus.name, results, names, missing), encoding="utf-8")
    _print_summary(results, options.report)
    return int(any(each.verdict.is_failure for each in results))


async def _judge(
    folder: Path, files: Sequence[CorpusFile], readers: Sequence[Reader], options: argparse.Namespace
) -> list[Result]:
    settings = WorkerSettings(children=options.at_once)
    counts: Counter[Verdict] = Counter()
    with tempfile.TemporaryDirectory() as common, tqdm(total=len(files), unit="file") as bar:

        def show(result: Result) -> None:
            counts[result.verdict] += 1
            bar.set_postfix_str(
                ", ".join(f"{each}: {counts[each]}" for each in Verdict if each.is_failure), refresh=False
            )
            bar.update()

        pool = SandboxPool(settings, max_pixels=LIMITS.pixels)
        surroundings = Surroundings.prepare(options.python, Path(common))
        with Results(options.report.with_suffix(".jsonl")) as results:
            session = Session(pool, readers, surroundings, results)
            async with pool:
                return await session.run(folder, files, at_once=options.at_once, on_result=show)


def _print_summary(results: Sequence[Result], report: Path) -> None:
    for name, counts in html_report.counts_by_type(results).items():
        line = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
        sys.stdout.write(f"{name}: {line}\n")
    sys.stdout.write(f"Report: {report}\n")


def _program(name: str) -> str:
    """Return the path of a program from the root: readers run in folders of their own."""
    return str(Path(shutil.which(name) or name).absolute())


def _silence(*_: object) -> dict[str, object]:
    raise structlog.DropEvent


if __name__ == "__main__":
    sys.exit(main())
