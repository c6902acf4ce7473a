"""A run's folder: what is read of it, and what differs from its digests."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from readiness.evidence import run_folder
from readiness.evidence.run_folder import DamagedRecordError, FolderError
from tests.example_records import record

SUMS, UNFINISHED = "SHA256SUMS", "UNFINISHED"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of two files, one of them in a folder of its own, and their digests."""
    (tmp_path / "inner").mkdir()
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "inner" / "b.txt").write_text("b")
    run_folder.write(tmp_path)
    return tmp_path


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_the_record_of_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / "readiness.json").write_text(json.dumps(record()))
    assert run_folder.read(tmp_path) == record()


@pytest.mark.parametrize(
    ("content", "error", "why"),
    [
        ("{", DamagedRecordError, "readiness.json is not JSON: "),
        ("[" * 100_000, DamagedRecordError, "readiness.json is not JSON: "),
        (json.dumps(record(seed="x")), FolderError, r"\$\.seed: 'x' is not of type 'integer'"),
    ],
)
def test_a_record_that_is_none_is_refused(
    content: str, error: type[Exception], why: str, tmp_path: Path
) -> None:
    (tmp_path / "readiness.json").write_text(content)
    with pytest.raises(FolderError, match=why) as raised:
        run_folder.read(tmp_path)
    assert type(raised.value) is error


def test_a_folder_without_a_record_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"has no readiness\.json: name the folder of a run"):
        run_folder.read(tmp_path)
    (tmp_path / "readiness.json").mkdir()
    with pytest.raises(FolderError, match="cannot be read: no regular file"):
        run_folder.read(tmp_path)


def test_the_digests_are_those_that_sha256sum_checks(folder: Path) -> None:
    assert (folder / SUMS).read_text() == f"{sha256('a')}  a.txt\n{sha256('b')}  inner/b.txt\n"


def to_nothing(path: Path) -> None:
    path.unlink()
    path.symlink_to("nothing")


def to_itself(path: Path) -> None:
    path.rename(path.with_name("attestation.json"))
    path.symlink_to("attestation.json")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda folder: (folder / "a.txt").write_text("A"), ("a.txt", "was changed")),
        (lambda folder: (folder / "inner" / "b.txt").unlink(), ("inner/b.txt", "is missing")),
        (lambda folder: (folder / "inner" / "c").touch(), ("inner/c", "was added")),
        (lambda folder: (folder / "c").symlink_to("inner"), ("c", "was added")),
        (lambda folder: to_nothing(folder / "a.txt"), ("a.txt", "was changed")),
        (lambda folder: to_itself(folder / "a.txt"), ("a.txt", "was changed")),
    ],
)
def test_what_differs_from_the_digests_is_named(
    change: Callable[[Path], object], found: tuple[str, str], folder: Path
) -> None:
    assert list(run_folder.differences(folder)) == []
    change(folder)
    assert list(run_folder.differences(folder)) == [found]


def test_a_folder_without_files_and_an_attestation_are_no_difference(folder: Path) -> None:
    (folder / "empty").mkdir()
    (folder / "attestation.json").touch()
    assert list(run_folder.differences(folder)) == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (Path.unlink, "has no SHA256SUMS: name the folder of a finished run"),
        (lambda sums: sums.write_bytes(b"\xff"), "SHA256SUMS cannot be read: 'utf-8' codec"),
        (lambda sums: (sums.unlink(), sums.mkdir()), "SHA256SUMS cannot be read: .* no regular"),
        (lambda sums: sums.write_text(sums.read_text() + "x\n"), "is not a list of digests"),
    ],
)
def test_digests_that_are_none_are_refused(
    change: Callable[[Path], object], why: str, folder: Path
) -> None:
    change(folder / SUMS)
    with pytest.raises(FolderError, match=why):
        list(run_folder.differences(folder))


def test_only_files_that_are_written_anew_and_the_review_may_differ(folder: Path) -> None:
    (folder / "review.yaml").touch()
    run_folder.refuse_changed(folder)
    (folder / "a.txt").write_text("A")
    run_folder.refuse_changed(folder, lambda name: name == "a.txt")
    with pytest.raises(FolderError, match=r"is not as it was written: a\.txt was changed"):
        run_folder.refuse_changed(folder)


def test_a_run_is_unfinished_until_it_ends(folder: Path) -> None:
    run_folder.begin(folder)
    run_folder.begin(folder)
    assert sorted(path.name for path in folder.glob("*")) == [UNFINISHED, "a.txt", "inner"]
    assert (folder / UNFINISHED).read_text() == f"To go on: --resume {folder}\n"
    (folder / "inner" / ".b.txt.fresh").write_text("of a run that was killed")
    run_folder.end(folder)
    assert list(run_folder.differences(folder)) == []
    assert sorted(path.name for path in folder.rglob("*")) == [SUMS, "a.txt", "b.txt", "inner"]
    run_folder.end(folder)
    assert list(run_folder.differences(folder)) == []


def test_a_file_is_written_whole_and_nowhere_else(tmp_path: Path) -> None:
    other, path = tmp_path / "other.txt", tmp_path / "a.txt"
    other.write_text("other")
    (tmp_path / ".a.txt.fresh").symlink_to("other.txt")
    run_folder.write_whole(path, "é\ud800")
    assert path.read_bytes() == "é\\ud800".encode()
    assert other.read_text() == "other"


def test_of_a_file_that_cannot_be_written_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(IsADirectoryError):
        run_folder.write_whole(tmp_path / "a.txt", "a")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    with (
        run_folder.locked(tmp_path),
        pytest.raises(FolderError, match="is being written by another process"),
        run_folder.locked(tmp_path),
    ):
        pass
    with pytest.raises(KeyError), run_folder.locked(tmp_path):
        raise KeyError
    with run_folder.locked(tmp_path):
        pass
