"""Downloads against a local server that misbehaves: resumed or refused, never half-written."""

import hashlib
import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from autobuild_book.downloads import DownloadError, _opener, _Transfer, download, fetch
from autobuild_lib.released.checksums import LOCK_NAME, ChecksumError, read_checksums, verify

CONTENT = bytes(range(256)) * 2000
OTHER = CONTENT[::-1]
SHA256 = hashlib.sha256(CONTENT).hexdigest()
QUICK = {"progress": False, "timeout": 0.4, "retries": 2}


class Server:
    """Answers each request with the next behaviour in line (the last one stays); remembers the Range headers."""

    def __init__(self, *behaviours: Callable[[BaseHTTPRequestHandler], None]) -> None:
        self.behaviours = list(behaviours)
        self.ranges: list[str | None] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.ranges.append(self.headers.get("Range"))
                behave = server.behaviours.pop(0) if len(server.behaviours) > 1 else server.behaviours[0]
                behave(self)

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}/files/cache.pkl"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(*behaviours: Callable[[BaseHTTPRequestHandler], None]) -> Server:
        servers.append(Server(*behaviours))
        return servers[-1]

    yield start
    for server in servers:
        server.http.shutdown()
        server.http.server_close()


def sends(content: bytes = CONTENT, stop_after: int | None = None, tag: str | None = '"one"', ranges: bool = True,
          stall: float = 0.0, date: str | None = None) -> Callable[[BaseHTTPRequestHandler], None]:
    def behave(handler: BaseHTTPRequestHandler) -> None:
        wanted, same = handler.headers.get("Range"), handler.headers.get("If-Range") in (None, tag, date)
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and ranges and same else 0
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        for name, value in (("ETag", tag), ("Last-Modified", date), ("Content-Length", str(len(content) - start))):
            if value:
                handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content[start:start + stop_after] if stop_after is not None else content[start:])
        handler.wfile.flush()
        time.sleep(stall)
    return behave


def answers(code: int, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def behave(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
    return behave


def hangs_up(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.close()


def without_length(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(CONTENT)


def in_chunks(*pieces: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    def behave(handler: BaseHTTPRequestHandler) -> None:
        handler.protocol_version = "HTTP/1.1"
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for piece in pieces:
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        handler.close_connection = True
    return behave


def get(server: Server, folder: Path, **options: Any) -> Path:
    return download(server.url, folder / "cache.pkl", **(QUICK | {"pause": 0.01} | options))


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


# Whole files


@pytest.mark.parametrize("sha256", [None, SHA256, SHA256.upper()])
def test_a_file_arrives_whole(tmp_path: Path, serve: Callable[..., Server], sha256: str | None) -> None:
    path = get(serve(sends()), tmp_path / "new" / "folder", sha256=sha256)
    assert path.read_bytes() == CONTENT and visible(path.parent) == ["cache.pkl"]


def test_progress_bar_goes_to_standard_error(
        tmp_path: Path, serve: Callable[..., Server], capsys: pytest.CaptureFixture[str]) -> None:
    get(serve(sends()), tmp_path, progress=True)
    captured = capsys.readouterr()
    assert captured.out == "" and "cache.pkl" in captured.err and "100%" in captured.err


def test_a_right_file_needs_no_network(tmp_path: Path) -> None:
    path = tmp_path / "cache.pkl"
    path.write_bytes(CONTENT)
    assert download("http://127.0.0.1:9/cache.pkl", path, sha256=SHA256, **QUICK) == path


def test_a_wrong_file_is_replaced(tmp_path: Path, serve: Callable[..., Server]) -> None:
    (tmp_path / "cache.pkl").write_bytes(OTHER)
    assert get(serve(sends()), tmp_path, sha256=SHA256).read_bytes() == CONTENT


def test_a_chunked_file_arrives_whole(tmp_path: Path, serve: Callable[..., Server]) -> None:
    assert get(serve(in_chunks(CONTENT[:9], CONTENT[9:], b"")), tmp_path).read_bytes() == CONTENT


def test_an_empty_file_arrives(tmp_path: Path, serve: Callable[..., Server]) -> None:
    assert get(serve(sends(b"")), tmp_path).read_bytes() == b""


# Interruptions


@pytest.mark.parametrize("fault", [sends(stop_after=1000), sends(stop_after=1000, stall=1.0)], ids=["cut", "stalled"])
def test_an_interrupted_file_is_resumed(tmp_path: Path, serve: Callable[..., Server], fault: Any) -> None:
    server = serve(fault, sends())
    assert get(server, tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=1000-"] and visible(tmp_path) == ["cache.pkl"]


def test_a_later_call_resumes_too(tmp_path: Path, serve: Callable[..., Server]) -> None:
    server = serve(sends(stop_after=1000, tag=None, date="Mon, 01 Jan 2024 00:00:00 GMT"))
    with pytest.raises(DownloadError, match="1000 of 512000"):
        get(server, tmp_path, retries=0)
    assert visible(tmp_path) == ["cache.pkl.part", "cache.pkl.part.json"]
    server.behaviours = [sends(tag=None, date="Mon, 01 Jan 2024 00:00:00 GMT")]
    assert get(server, tmp_path).read_bytes() == CONTENT
    assert server.ranges[-1] == "bytes=1000-"


@pytest.mark.parametrize("second", [
    sends(OTHER, tag='"two"'), sends(OTHER, tag='"two"', ranges=False), sends(OTHER, tag=None),
], ids=["changed", "changed, no ranges", "no version"])
def test_a_file_that_changed_is_started_over(tmp_path: Path, serve: Callable[..., Server], second: Any) -> None:
    assert get(serve(sends(stop_after=1000), second), tmp_path).read_bytes() == OTHER


def test_a_server_that_ignores_if_range_is_found_out(tmp_path: Path, serve: Callable[..., Server]) -> None:
    def careless(handler: BaseHTTPRequestHandler) -> None:
        del handler.headers["If-Range"]
        sends(OTHER, tag='"two"')(handler)

    server = serve(sends(stop_after=1000), careless)
    assert get(server, tmp_path).read_bytes() == OTHER
    assert server.ranges == [None, "bytes=1000-", None]


def test_without_ranges_the_file_is_started_over(tmp_path: Path, serve: Callable[..., Server]) -> None:
    assert get(serve(sends(stop_after=1000), sends(ranges=False)), tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("tag", [None, 'W/"weak"'])
def test_without_a_version_nothing_is_resumed(tmp_path: Path, serve: Callable[..., Server], tag: str | None) -> None:
    server = serve(sends(stop_after=1000, tag=tag), sends())
    assert get(server, tmp_path).read_bytes() == CONTENT and server.ranges == [None, None]


def test_parts_of_another_address_are_not_used(tmp_path: Path, serve: Callable[..., Server]) -> None:
    with pytest.raises(DownloadError):
        get(serve(sends(OTHER, stop_after=1000)), tmp_path, retries=0)
    server = serve(sends())
    assert get(server, tmp_path).read_bytes() == CONTENT and server.ranges == [None]


def test_a_part_that_is_too_long_is_started_over(tmp_path: Path, serve: Callable[..., Server]) -> None:
    with pytest.raises(DownloadError):
        get(server := serve(sends(stop_after=1000)), tmp_path, retries=0)
    server.behaviours = [answers(416), sends()]
    assert get(server, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("fault", [answers(500), answers(503), answers(429), hangs_up], ids=["500", "503", "429", ""])
def test_passing_failures_are_retried(tmp_path: Path, serve: Callable[..., Server], fault: Any) -> None:
    assert get(serve(fault, fault, sends()), tmp_path).read_bytes() == CONTENT


def test_attempts_are_bounded(tmp_path: Path, serve: Callable[..., Server]) -> None:
    server = serve(answers(500))
    with pytest.raises(DownloadError, match=r"500.*attempts: 3"):
        get(server, tmp_path)
    assert len(server.ranges) == 3 and visible(tmp_path) == []


@pytest.mark.parametrize(("fault", "found"), [
    (sends(stop_after=0), "0 of 512000"), (sends(stop_after=0, stall=1.0), "timed out"),
    (in_chunks(CONTENT[:9]), "broke"), (without_length, "no length"),
], ids=["cut", "stalled", "cut chunks", "no length"])
def test_what_stays_incomplete_never_appears(
        tmp_path: Path, serve: Callable[..., Server], fault: Any, found: str) -> None:
    with pytest.raises(DownloadError, match=found):
        get(serve(fault), tmp_path)
    assert not (tmp_path / "cache.pkl").exists()


# Refusals


@pytest.mark.parametrize("code", [401, 403, 404, 410])
def test_refusals_are_not_repeated(tmp_path: Path, serve: Callable[..., Server], code: int) -> None:
    server = serve(answers(code))
    with pytest.raises(DownloadError, match=str(code)):
        get(server, tmp_path)
    assert len(server.ranges) == 1 and visible(tmp_path) == []


def test_offline_says_what_to_put_where(tmp_path: Path, serve: Callable[..., Server]) -> None:
    server = serve(sends())
    server.http.server_close()
    with pytest.raises(DownloadError) as caught:
        get(server, tmp_path)
    message = str(caught.value)
    assert server.url in message and str(tmp_path / "cache.pkl") in message and "refused" in message


def test_a_wrong_checksum_leaves_nothing(tmp_path: Path, serve: Callable[..., Server]) -> None:
    with pytest.raises(ChecksumError, match=SHA256):
        get(serve(sends(OTHER)), tmp_path, sha256=SHA256)
    assert visible(tmp_path) == []


def test_a_file_corrupted_on_resuming_leaves_nothing(tmp_path: Path, serve: Callable[..., Server]) -> None:
    with pytest.raises(ChecksumError):
        get(serve(sends(stop_after=1000), sends(OTHER)), tmp_path, sha256=SHA256)
    assert visible(tmp_path) == []


def test_redirects_are_followed_and_resumed(tmp_path: Path, serve: Callable[..., Server]) -> None:
    target = serve(sends(stop_after=1000), sends())
    assert get(serve(answers(302, Location=target.url)), tmp_path, sha256=SHA256).read_bytes() == CONTENT
    assert target.ranges == [None, "bytes=1000-"]


@pytest.mark.parametrize("location", ["file:///etc/hostname", "ftp://127.0.0.1/a", "data:text/plain,a", "//["])
def test_redirects_elsewhere_are_refused(tmp_path: Path, serve: Callable[..., Server], location: str) -> None:
    server = serve(answers(302, Location=location))
    with pytest.raises(DownloadError):
        get(server, tmp_path)
    assert visible(tmp_path) == []


def test_redirects_in_a_circle_are_refused(tmp_path: Path, serve: Callable[..., Server]) -> None:
    server = serve(answers(302, Location="/files/cache.pkl"))
    with pytest.raises(DownloadError, match="302"):
        get(server, tmp_path)
    assert len(server.ranges) < 30


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/a", "cache.pkl", "data:text/plain,a", ""])
def test_other_schemes_are_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(DownloadError, match="allowed: http and https"):
        download(url, tmp_path / "cache.pkl", **QUICK)
    assert visible(tmp_path) == []


def test_https_is_never_left(tmp_path: Path) -> None:
    transfer = _Transfer("https://host/a", tmp_path / "a", timeout=1.0, progress=False, has_checksum=False)
    redirects = next(h for h in _opener(transfer).handlers if isinstance(h, urllib.request.HTTPRedirectHandler))
    request = urllib.request.Request("https://host/a")
    assert redirects.redirect_request(request, None, 302, "", {}, "https://other/b").full_url == "https://other/b"
    with pytest.raises(DownloadError, match=r"'http://other/b'; allowed: https\."):
        redirects.redirect_request(request, None, 302, "", {}, "http://other/b")


# Names and folders


@pytest.mark.parametrize("name", ["../cache.pkl", "a/b.pkl", "/etc/x", "..", ".", "", ".hidden", "a\\b", "a\0b", "a\nb",
                                  LOCK_NAME, "a.part", "a.part.json", "x" * 300])
def test_names_that_leave_the_folder_are_refused(tmp_path: Path, serve: Callable[..., Server], name: str) -> None:
    server = serve(sends())
    with pytest.raises(ValueError, match="file name"):
        fetch(name, tmp_path / "data", server.url, **QUICK)
    assert server.ranges == [] and visible(tmp_path) == []


def test_nothing_is_written_through_links(tmp_path: Path, serve: Callable[..., Server]) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "data"
    outside.write_bytes(b"mine")
    folder.mkdir()
    for name in ("cache.pkl", "cache.pkl.part", "cache.pkl.part.json"):
        (folder / name).symlink_to(outside)
    path = get(serve(sends()), folder)
    assert path.read_bytes() == CONTENT and not path.is_symlink() and outside.read_bytes() == b"mine"


def test_a_malformed_checksum_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="64 hexadecimal"):
        download("http://127.0.0.1:9/a", tmp_path / "a", sha256="abc", **QUICK)


def test_many_at_once_leave_one_whole_file(tmp_path: Path, serve: Callable[..., Server]) -> None:
    server = serve(*[sends(stop_after=1000), sends()] * 8)
    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda _: get(server, tmp_path, sha256=SHA256), range(8)))
    assert {path.read_bytes() for path in paths} == {CONTENT} and len(server.ranges) == 2


# Recorded checksums


def test_fetch_records_and_then_needs_no_network(tmp_path: Path, serve: Callable[..., Server]) -> None:
    server = serve(sends())
    path = fetch("cache.pkl", tmp_path, server.url, **QUICK)
    assert json.loads((tmp_path / LOCK_NAME).read_text()) == {"cache.pkl": SHA256}
    assert fetch("cache.pkl", tmp_path, server.url, **QUICK) == path and len(server.ranges) == 1


def test_fetch_enforces_what_it_recorded(tmp_path: Path, serve: Callable[..., Server]) -> None:
    server = serve(sends(), sends(OTHER))
    path = fetch("cache.pkl", tmp_path, server.url, **QUICK)
    path.unlink()
    with pytest.raises(ChecksumError, match=SHA256):
        fetch("cache.pkl", tmp_path, server.url, **QUICK)
    assert visible(tmp_path) == [LOCK_NAME] and read_checksums(tmp_path) == {"cache.pkl": SHA256}


def test_fetch_mends_a_damaged_file(tmp_path: Path, serve: Callable[..., Server]) -> None:
    server = serve(sends())
    path = fetch("cache.pkl", tmp_path, server.url, **QUICK)
    path.write_bytes(OTHER)
    with pytest.raises(ChecksumError, match=r"cache\.pkl"):
        verify(path)
    verify(fetch("cache.pkl", tmp_path, server.url, **QUICK))


def test_fetch_takes_a_file_put_there_by_hand(tmp_path: Path) -> None:
    (tmp_path / "cache.pkl").write_bytes(CONTENT)
    fetch("cache.pkl", tmp_path, "http://127.0.0.1:9/cache.pkl", **QUICK)
    assert read_checksums(tmp_path) == {"cache.pkl": SHA256}


def test_a_known_checksum_is_enforced_at_once(tmp_path: Path, serve: Callable[..., Server]) -> None:
    with pytest.raises(ChecksumError):
        fetch("cache.pkl", tmp_path, serve(sends(OTHER)).url, SHA256, **QUICK)
    assert visible(tmp_path) == []


def test_several_files_share_one_record(tmp_path: Path, serve: Callable[..., Server]) -> None:
    server = serve(sends())
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda i: fetch(f"{i}.pkl", tmp_path, server.url, **QUICK), range(6)))
    assert read_checksums(tmp_path) == {f"{i}.pkl": SHA256 for i in range(6)}


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a": 1}', '{"a": "xyz"}'])
def test_a_malformed_record_is_an_error(tmp_path: Path, content: str) -> None:
    (tmp_path / LOCK_NAME).write_text(content)
    with pytest.raises(ValueError, match=LOCK_NAME):
        fetch("cache.pkl", tmp_path, "http://127.0.0.1:9/", **QUICK)
