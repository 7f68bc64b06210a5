"""axe-core, the accessibility rules, from the npm registry: one exact version, checked before it is opened."""

import base64
import hashlib
import io
import tarfile
import urllib.request
from pathlib import Path

VERSION = "4.14.1"
SHA512 = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
ADDRESS = f"https://registry.npmjs.org/axe-core/-/axe-core-{VERSION}.tgz"
SCRIPT = Path(__file__).resolve().parents[2] / "build" / f"axe-{VERSION}.min.js"


def fetch() -> Path:
    """Return the path of the script, downloaded if it is not there."""
    if not SCRIPT.is_file():
        with urllib.request.urlopen(ADDRESS, timeout=60) as answer:
            script = extract(answer.read())
        SCRIPT.parent.mkdir(exist_ok=True)
        part = SCRIPT.with_suffix(".part")
        part.write_bytes(script)
        part.replace(SCRIPT)
    return SCRIPT


def extract(package: bytes, sha512: str = SHA512) -> bytes:
    """Return the script out of a package, or raise ValueError when the package is another one."""
    found = base64.b64encode(hashlib.sha512(package).digest()).decode()
    if found != sha512:
        raise ValueError(f"{ADDRESS} has the checksum sha512-{found}, not sha512-{sha512}")
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:
        member = archive.extractfile("package/axe.min.js")
        assert member is not None
        return member.read()


if __name__ == "__main__":
    print(f"axe-core {VERSION}: {fetch()}")
