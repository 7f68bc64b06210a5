"""The same seed on the same machine gives the same bytes, however many threads there are, in both houses."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

WORK = """
import hashlib, json
import numpy as np
import autobuild_lib as ab
from autobuild_lib.data.ir import ir_table
from autobuild_lib.ir_training import fit_ir
from autobuild_book.chapters.shared.models.combined import embeddings
from autobuild_book.chapters.shared.models.registry import GAUSSIAN, RIDGE
from autobuild_book.dominance import hypervolume_curve
from autobuild_book.chapters.diffusion.task.images import digits
from autobuild_book.chapters.diffusion.task.metrics import features, frechet_distance
from autobuild_book.chapters.panoptic.task.measuring import Exam, exam_images, prepare
from autobuild_book.chapters.panoptic.task.space import backbone_space
from autobuild_book.chapters.panoptic.task.weights import load_bundled

def small(predict):  # small numbers of rows are shared between threads in odd ways
    return np.concatenate([predict(table.architectures[:rows]) for rows in range(1, 25)])

table = ab.data.load("ofa_mbv3").take(range(1500))
space, some = table.space, table.take(range(400))
made = {}
predictor = ab.fit(space, some, "acc", preset="tuned", epochs=1, progress=False)
made["fit"] = np.concatenate([weight.numpy().ravel() for weight in predictor.network.state_dict().values()])
made["predict"], made["norms"] = predictor.predict_and_norms(table.architectures)
made["few predictions"], made["few embeddings"] = small(predictor.predict), small(lambda a: embeddings(predictor, a))
made["few labels"] = small(lambda a: ab.surrogate.ofa_mbv3().predict(a).to_numpy())
made["evaluate"] = ab.evaluate(predictor, table).to_numpy()
made["norm"] = np.concatenate([unit.scores for unit in ab.score_units(predictor, progress=False).groups])
effects = ab.score_units(predictor, score="effect", hosts=2, progress=False)
made["effect"] = np.concatenate([unit.scores for unit in effects.groups])
made["surrogate"] = ab.surrogate.ofa_mbv3().predict(table.architectures).to_numpy()
made["embeddings"] = embeddings(predictor, table.architectures)
made["hypervolume"] = hypervolume_curve(made["surrogate"][:, :2], (2, 100))
irs = ir_table([some.take(range(60))], progress=False)
ir_predictor = fit_ir(irs, "acc", preset="tuned", epochs=1, progress=False)
made["few graphs"] = np.concatenate([ir_predictor.predict(irs.graphs[:rows]) for rows in range(1, 25)])
made["operations"] = ir_predictor.operation_importance().importance.to_numpy()
for model in (RIDGE, GAUSSIAN):
    made[model.name] = model.fit_many(some, ["acc"])[0].predict(table.architectures)
seen = features(digits().train)
made["features"], made["distance"] = seen, np.array(frechet_distance(seen, seen[:100]))
images, _, calibration = exam_images(Exam(count=20))
network = prepare(load_bundled(), backbone_space().sample(np.random.default_rng(0)), calibration)
made["panoptic"] = np.concatenate([weight.numpy().ravel() for weight in network.state_dict().values()])
print(json.dumps({name: hashlib.sha256(part.tobytes()).hexdigest() for name, part in made.items()}))
"""


def results(threads: str) -> dict[str, str]:
    """Return the checksum of every result, computed in a process with so many threads."""
    names = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), threads)
    run = subprocess.run([sys.executable, "-c", WORK], env=os.environ | names, stdout=subprocess.PIPE, check=True)
    found: dict[str, str] = json.loads(run.stdout)
    return found


@pytest.mark.slow
def test_results_do_not_depend_on_the_number_of_threads() -> None:
    with ThreadPoolExecutor() as pool:
        one, two = pool.map(results, ("1", "2"))
    assert [name for name in one if one[name] != two[name]] == []
