"""The finished run that a folder holds, kept while another one runs in its place, so that nothing is lost before."""

import shutil
from contextlib import suppress

from autobuild_book.chain.plans import Job

KEPT = ".kept"  # after the name of each file, so that nobody takes it for one of a run


def keep(job: Job) -> None:
    """Copy a finished run into the folder `job.aside`; Snakemake removes it before the new one begins."""
    if not job.is_finished:
        return
    partial = job.aside.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    for path in (job.executed, *filter(lambda path: path.is_file(), job.metrics.parent.iterdir())):
        copy = partial / f"{path.relative_to(job.folder)}{KEPT}"
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)
    shutil.rmtree(job.aside, ignore_errors=True)
    partial.rename(job.aside)


def settle(job: Job) -> None:
    """Put a run that was kept back, and remove other tables, unless a new one is finished; then drop it."""
    if not job.aside.is_dir():
        return
    if not job.is_finished:
        kept = sorted(job.aside.rglob(f"*{KEPT}"), key=lambda path: path.name == f"{job.metrics.name}{KEPT}")
        places = {path: job.folder / str(path.relative_to(job.aside)).removesuffix(KEPT) for path in kept}
        for table in set(job.metrics.parent.glob("*.csv")) - set(places.values()):
            table.unlink()
        for path, place in places.items():  # metrics.json last: without it the run is not finished
            place.parent.mkdir(parents=True, exist_ok=True)
            path.replace(place)
    shutil.rmtree(job.aside)
    with suppress(OSError):
        job.aside.parent.rmdir()  # where nothing failed
