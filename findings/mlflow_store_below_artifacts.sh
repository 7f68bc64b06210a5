#!/usr/bin/env bash
# What: mlflow-skinny 3.17.2 (Python 3.11), a store of files, which this version opens with MLFLOW_ALLOW_FILE_STORE=true.
# A store is made in a folder, an experiment in it, and a run in that.
#
# One would guess: it does not matter where on the disk the folder of a store lies.
# What happens: where any folder of its path is called exactly "artifacts", above the store or the store itself, the
# experiment is made and listed, the run is written as files, and the same call then ends in "not found": no run of
# such a store can be logged or read. Other names work, "my_artifacts" too.
#
# Seen:
#   results/store: 1 experiment, run logged, 1 listed
#   artifacts/store: 1 experiment, run written, not found
#   artifacts/deep/store: 1 experiment, run written, not found
#   store/artifacts: 1 experiment, run written, not found
#   my_artifacts/store: 1 experiment, run logged, 1 listed
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install -qq mlflow-skinny==3.17.2

MLFLOW_ALLOW_FILE_STORE=true env/bin/python -W ignore - > seen <<'EOF'
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import ViewType
from mlflow.exceptions import MlflowException

for name in ("results/store", "artifacts/store", "artifacts/deep/store", "store/artifacts", "my_artifacts/store"):
    store = Path("stores", *name.split("/")).resolve()
    store.mkdir(parents=True)
    client = MlflowClient(tracking_uri=store.as_uri())
    experiment = client.create_experiment("trained")
    try:
        client.log_metric(client.create_run(experiment).info.run_id, "srcc", 0.5)
        outcome = f"run logged, {len(client.search_runs([experiment]))} listed"
    except MlflowException as error:
        assert "not found" in str(error), error
        assert len(list(store.glob("*/*/meta.yaml"))) == 1  # what is not found has been written
        outcome = "run written, not found"
    names = [listed.name for listed in client.search_experiments(view_type=ViewType.ACTIVE_ONLY)]
    print(f"{name}: {names.count('trained')} experiment, {outcome}")
EOF
cat seen
diff - seen <<'EOF'
results/store: 1 experiment, run logged, 1 listed
artifacts/store: 1 experiment, run written, not found
artifacts/deep/store: 1 experiment, run written, not found
store/artifacts: 1 experiment, run written, not found
my_artifacts/store: 1 experiment, run logged, 1 listed
EOF
