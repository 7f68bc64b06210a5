"""Downloads files whole or not at all: resumed after interruptions, checked before they appear.

A file grows as `<name>.part` beside its destination. `<name>.part.json` remembers the version (ETag or Last-Modified)
that those bytes belong to, so that a file that changed on the server is started over. Only a whole, checked file gets
its final name. `fetch` records checksums in `checksums.json` beside the data and enforces them from then on.
"""

import http.client
import json
import logging
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import IO

from filelock import FileLock

from autobuild_lib.progress import Bar, progress_bar
from autobuild_lib.released.checksums import LOCK_NAME, SHA256, ChecksumError, read_checksums, sha256_of
from autobuild_lib.storage import read_json, replace_text

logger = logging.getLogger(__name__)

_CHUNK = 1 << 18  # bytes
_LONGEST_PAUSE = 30.0  # seconds
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,199}")
_CONTENT_RANGE = re.compile(r"bytes \d+-\d+/(\d+)")
_TEMPORARY = {408, 425, 429, 500, 502, 503, 504}  # status codes worth another attempt


class DownloadError(OSError):
    """A file could not be downloaded; the message says from where, and where to put it by hand."""


class _InterruptedError(Exception):
    """An attempt failed in a way that another attempt may mend."""


def fetch(
    name: str,
    folder: Path,
    url: str,
    known_sha256: str | None = None,
    *,
    progress: bool = True,
    timeout: float = 30.0,
    retries: int = 3,
) -> Path:
    """Return `folder/name`, downloading it if need be; the first sha256 seen is recorded and enforced afterwards.

    A file that was put there by hand is taken as it is and recorded.

    Args:
        name: plain file name.
        folder: where the file and `checksums.json` live; made if missing.
        url: http or https address.
        known_sha256: checksum known beforehand, in hexadecimal; it overrides the recorded one.
        progress, timeout, retries: as for `download`.

    Raises:
        DownloadError: as for `download`.
        ValueError: the name is not a plain file name, or `checksums.json` is malformed.
    """
    path = Path(folder) / _checked_name(name)
    recorded = read_checksums(path.parent).get(name)
    expected = known_sha256.lower() if known_sha256 else recorded
    if expected is not None or not path.is_file():
        download(url, path, sha256=expected, progress=progress, timeout=timeout, retries=retries)
    if recorded is None or recorded != expected:
        _record(path)
    return path


def download(
    url: str,
    destination: Path,
    *,
    sha256: str | None = None,
    progress: bool = True,
    timeout: float = 30.0,
    retries: int = 3,
    pause: float = 1.0,
) -> Path:
    """Download a file; it appears at its destination only when it is whole and its checksum is right.

    A destination that already has the given sha256 is returned without any network access; without a sha256 the file
    is downloaded anew.

    Args:
        url: http or https address; redirects are followed, but never from https to http.
        destination: the file to make; its folder is made if missing.
        sha256: expected checksum in hexadecimal.
        progress: whether to show a progress bar.
        timeout: seconds without any data after which an attempt is given up.
        retries: further attempts after the first; each resumes where the last one stopped, if the server allows.
        pause: seconds before the second attempt, doubled before each further one.

    Raises:
        ChecksumError: the downloaded file is another one; it is removed.
        DownloadError: no connection, a refusal, or a file still not whole after all attempts.
        ValueError: the destination is not a plain file name in a folder, or the sha256 is malformed.
    """
    path = Path(destination)
    _checked_name(path.name)
    expected = sha256.lower() if sha256 else None
    if expected and not SHA256.fullmatch(expected):
        raise ValueError(f"sha256 {sha256!r}; allowed: 64 hexadecimal digits")
    transfer = _Transfer(url, path, timeout, progress, has_checksum=expected is not None)
    _check_scheme(url, transfer)
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.parent / ".lock"):
        if not (expected and path.is_file() and sha256_of(path) == expected):
            _complete(transfer, retries, pause)
            _check_part(transfer, expected)
            os.replace(transfer.part, path)
            transfer.version.unlink(missing_ok=True)
    return path


@dataclass(frozen=True)
class _Transfer:
    url: str
    path: Path
    timeout: float
    progress: bool
    has_checksum: bool

    @property
    def part(self) -> Path:
        return self.path.with_name(self.path.name + ".part")

    @property
    def version(self) -> Path:
        return self.path.with_name(self.path.name + ".part.json")

    def failure(self, reason: object) -> DownloadError:
        return DownloadError(
            f"cannot download {self.path.name} from {self.url}: {reason}. "
            f"Without this network access, put the file at {self.path}"
        )

    def discard(self) -> None:
        self.part.unlink(missing_ok=True)
        self.version.unlink(missing_ok=True)


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name) or name == LOCK_NAME or name.endswith((".part", ".part.json")):
        raise ValueError(f"file name {name!r}; allowed: letters, digits and ._+- (not {LOCK_NAME}, not *.part)")
    return name


def _scheme(url: str) -> str:
    return url.partition(":")[0].lower()


def _check_scheme(url: str, transfer: _Transfer, secure: bool = False) -> None:
    allowed = ("https",) if secure else ("http", "https")
    if _scheme(url) not in allowed:
        raise transfer.failure(f"address {url!r}; allowed: {' and '.join(allowed)}")


def _complete(transfer: _Transfer, retries: int, pause: float) -> None:
    reason: Exception | None = None
    for attempt in range(retries + 1):
        if attempt:
            logger.info("attempt %d of %d for %s: %s", attempt + 1, retries + 1, transfer.path.name, reason)
            time.sleep(min(pause * 2 ** (attempt - 1), _LONGEST_PAUSE))
        try:
            return _attempt(transfer)
        except _InterruptedError as error:
            reason = error
    raise transfer.failure(f"{reason} (attempts: {retries + 1})")


def _attempt(transfer: _Transfer) -> None:
    request = urllib.request.Request(transfer.url, headers=_headers(transfer))  # noqa: S310 - scheme was checked
    with _opened(request, transfer) as response:
        offset = _accepted_offset(response, transfer)
        total = _whole_size(response, offset)
        if total is None and not response.chunked and not transfer.has_checksum:
            raise transfer.failure("the server announces no length, and no checksum is known")
        if offset == 0:
            _start_over(response.headers, transfer)
        _receive(response, offset, total, transfer)
    size = transfer.part.stat().st_size
    if total is not None and size != total:
        raise _InterruptedError(f"the connection ended after {size} of {total} bytes")


def _headers(transfer: _Transfer) -> dict[str, str]:
    headers = {"User-Agent": "autobuild_lib", "Accept-Encoding": "identity"}
    if transfer.part.is_symlink() or transfer.version.is_symlink():
        transfer.discard()  # nothing is written through links
    size = transfer.part.stat().st_size if transfer.part.is_file() else 0
    version = _read_version(transfer)
    if size and version:
        headers |= {"Range": f"bytes={size}-", "If-Range": version}
    return headers


def _read_version(transfer: _Transfer) -> str | None:
    try:
        state = read_json(transfer.version)
    except (OSError, ValueError):
        return None
    belongs = state.get("url") == transfer.url
    return str(state["version"]) if belongs and state.get("version") else None


def _start_over(headers: Message, transfer: _Transfer) -> None:
    transfer.discard()
    state = {"url": transfer.url, "version": _version_of(headers)}
    transfer.version.write_text(json.dumps(state), encoding="utf-8")


def _version_of(headers: Message) -> str | None:
    tag = headers.get("ETag")
    return tag if tag and not tag.startswith("W/") else headers.get("Last-Modified")


@contextmanager
def _opened(request: urllib.request.Request, transfer: _Transfer) -> Iterator[http.client.HTTPResponse]:
    """Open an address, telling failures that may pass from those that will not."""
    try:
        response = _opener(transfer).open(request, timeout=transfer.timeout)
    except DownloadError:  # a redirect that is refused
        raise
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:  # what is here does not belong to the file that is there
            transfer.discard()
        if error.code == 416 or error.code in _TEMPORARY:
            raise _InterruptedError(f"the server answers {error.code} {error.reason}") from None
        raise transfer.failure(f"the server answers {error.code} {error.reason}") from None
    except (OSError, http.client.HTTPException) as error:
        raise _InterruptedError(getattr(error, "reason", None) or repr(error)) from None
    except ValueError as error:  # an address, or a redirect to one, that is none
        raise transfer.failure(error) from None
    with response:
        yield response


def _opener(transfer: _Transfer) -> urllib.request.OpenerDirector:
    class Redirects(urllib.request.HTTPRedirectHandler):
        def redirect_request(
            self,
            req: urllib.request.Request,
            fp: IO[bytes],
            code: int,
            msg: str,
            headers: http.client.HTTPMessage,
            newurl: str,
        ) -> urllib.request.Request | None:
            _check_scheme(newurl, transfer, secure=_scheme(req.full_url) == "https")
            return super().redirect_request(req, fp, code, msg, headers, newurl)

    opener = urllib.request.OpenerDirector()  # without handlers for file: and ftp: addresses
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
        Redirects,
    ):
        opener.add_handler(handler())
    return opener


def _accepted_offset(response: http.client.HTTPResponse, transfer: _Transfer) -> int:
    """The number of bytes to keep: those here if the server sends the rest of the same file, else none."""
    if response.status != 206:
        return 0
    size = transfer.part.stat().st_size if transfer.part.is_file() else 0
    continues = (response.headers.get("Content-Range") or "").startswith(f"bytes {size}-")
    if not continues or _version_of(response.headers) not in (None, _read_version(transfer)):
        transfer.discard()
        raise _InterruptedError("the file changed on the server, or another part of it was sent")
    return size


def _whole_size(response: http.client.HTTPResponse, offset: int) -> int | None:
    announced = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range") or "")
    if response.status == 206 and announced:
        return int(announced[1])
    return offset + response.length if response.length is not None else None


def _receive(response: http.client.HTTPResponse, offset: int, total: int | None, transfer: _Transfer) -> None:
    bar: Bar = progress_bar(
        desc=transfer.path.name, total=total, initial=offset, unit="B", unit_scale=True, disable=not transfer.progress
    )
    with bar, transfer.part.open("ab") as file:
        while chunk := _next_chunk(response, _CHUNK if total is None else min(_CHUNK, total - file.tell())):
            file.write(chunk)
            bar.update(len(chunk))
        file.flush()
        os.fsync(file.fileno())


def _next_chunk(response: http.client.HTTPResponse, limit: int) -> bytes:
    try:
        return response.read1(limit) if limit else b""
    except (OSError, http.client.HTTPException) as error:
        raise _InterruptedError(f"the connection broke ({error!r})") from None


def _check_part(transfer: _Transfer, expected: str | None) -> None:
    if expected is not None and (received := sha256_of(transfer.part)) != expected:
        transfer.discard()
        raise ChecksumError(
            f"{transfer.path.name} from {transfer.url}: sha256 {received}; allowed: {expected}. "
            f"The download was removed; the right file belongs at {transfer.path}"
        )


def _record(path: Path) -> None:
    checksum = sha256_of(path)
    with FileLock(path.parent / ".lock"):
        entries = read_checksums(path.parent) | {path.name: checksum}
        replace_text(path.parent / LOCK_NAME, json.dumps(entries, indent=2, sort_keys=True) + "\n")
