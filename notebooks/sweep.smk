# A sweep: one notebook with many combinations of parameters, each in a folder of its own. `autobuild sweep` writes the plan
# (notebook, profile, and for each folder the parameters that it adds to the profile's) and calls Snakemake:
#   snakemake --snakefile notebooks/sweep.smk --config plan=artifacts/sweeps/.../sweep.json --cores all
import json
import re


include: "notebook.smk"


PLAN = Path(config["plan"])
plan = json.loads(PLAN.read_text(encoding="utf-8"))
NOTEBOOK = plan["notebook"]
common, sections = read_profile(plan["profile"])
FOLDERS = {str(PLAN.parent / name): given for name, given in plan["runs"].items()}
PARAMETERS = {
    folder: {NOTEBOOK: {**common, **sections[NOTEBOOK], **given, "out": folder}} for folder, given in FOLDERS.items()
}


wildcard_constraints:
    folder="|".join(map(re.escape, PARAMETERS)),


localrules:
    all,


rule all:
    default_target: True
    input:
        expand(f"{{folder}}/{NOTEBOOK}.ipynb", folder=FOLDERS),
        expand(f"{{folder}}/{NOTEBOOK}/metrics.json", folder=FOLDERS),
