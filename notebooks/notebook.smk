# How a notebook runs: one papermill run into a folder. The chain (Snakefile) and sweeps (sweep.smk) include this file and give
# PARAMETERS: for each folder, for each notebook that runs into it, what papermill hands to it.
from pathlib import Path

import yaml

NOTEBOOKS = sorted(path.stem for path in Path("notebooks").glob("[0-9]*.ipynb"))

# A notebook that trains in processes of its own takes more than one core.
THREADS = dict.fromkeys(("01_predictor_srcc", "02_ir_operations", "03_subgraph_ranking", "04_pareto_regions",
                          "05_panoptic", "06_diffusion_unets", "08_peers"), 2)

# A notebook that measures time takes all cores, so that nothing else runs beside it.
ALONE = {"07_your_machine"}

# Notebooks that share trained predictors: the second one waits for the first instead of training them too.
AFTER = {"04_pareto_regions": "03_subgraph_ranking"}

# What every notebook may read: all but the command line, sweeps, labs and the builder of the pages.
UNUSED = ("book", "cli", "comparison.py", "labs", "sweeps.py")
LIBRARY = sorted(str(path) for path in Path("autobuild_lib").rglob("*.py") if path.parts[1] not in UNUSED)
FILES = sorted(str(path) for path in Path("autobuild_lib").rglob("files/*"))

# One thread for each process: parallelism comes from processes, so that runs do not fight over cores.
shell.prefix("export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1; ")


def read_profile(name):
    """The parameters that all notebooks of a profile share, and for each notebook its own."""
    path = Path("notebooks/profiles") / f"{name}.yml"
    if not path.is_file():
        known = sorted(other.stem for other in path.parent.glob("*.yml"))
        raise WorkflowError(f"profile {name!r}; choose from {', '.join(known)}")
    sections = yaml.safe_load(path.read_text())
    common = {"profile": name, "out": f"artifacts/{name}", **sections.pop("common")}
    if unknown := sorted(set(sections) - set(NOTEBOOKS)):
        raise WorkflowError(f"{path}: no notebook {', '.join(unknown)}")
    return common, {name: sections.get(name) or {} for name in NOTEBOOKS}


def parameters(wildcards):
    """What papermill hands to a notebook, as one line of YAML."""
    given = PARAMETERS[wildcards.folder][wildcards.notebook]
    return yaml.safe_dump(given, default_flow_style=True, width=float("inf")).strip()


def own_data(wildcards):
    """The files of the user that a notebook reads."""
    given = PARAMETERS[wildcards.folder][wildcards.notebook]
    return [str(given[name]) for name in ("data", "space") if Path(str(given[name])).is_file()]


def threads_of(wildcards):
    """Cores that a notebook takes; a cluster has no number of them, and gives every notebook a place of its own."""
    if wildcards.notebook not in ALONE:
        return THREADS.get(wildcards.notebook, 1)
    try:
        return workflow.cores
    except WorkflowError:
        return 1


def waits_for(wildcards):
    """What must be there before a notebook starts, though it is no reason to run it again."""
    first = AFTER.get(wildcards.notebook)
    return ancient(f"{wildcards.folder}/{first}/metrics.json") if first in PARAMETERS[wildcards.folder] else []


wildcard_constraints:
    notebook="|".join(NOTEBOOKS),


# The parameters stand for the profile file: a notebook reruns when its own parameters change, not when another's do.
# A notebook lies in the folder `failed` while it runs, and stays there if a cell raises an error.
rule notebook:
    input:
        notebook="notebooks/{notebook}.ipynb",
        library=LIBRARY,
        files=FILES,
        data=own_data,
        first=waits_for,
    output:
        notebook="{folder}/{notebook}.ipynb",
        metrics="{folder}/{notebook}/metrics.json",
    params:
        yaml=parameters,
        folder="{folder}/failed",
        failed="{folder}/failed/{notebook}",
    threads: threads_of
    shell:
        """
        mkdir -p {params.folder:q}
        if ! papermill {input.notebook:q} {params.failed:q}.ipynb --kernel python3 --parameters_yaml {params.yaml:q} \
            --no-progress-bar >{params.failed:q}.txt 2>&1; then
            echo "{wildcards.notebook} failed: $(grep -v '^ *$' {params.failed:q}.txt | tail -n 1)" >&2
            echo "the cells that ran, and the error, are in {params.failed}.ipynb" >&2
            exit 1
        fi
        mv {params.failed:q}.ipynb {output.notebook:q}
        rm {params.failed:q}.txt
        rmdir {params.folder:q} 2>/dev/null || true
        """
