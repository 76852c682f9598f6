"""Files are written whole or not at all, keep their mode, and replace only what this program wrote."""

from __future__ import annotations

import errno
import os
import random
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from optimiser.solving import model_file
from optimiser.system import atomic_files as files
from optimiser.system.errors import OutputError
from optimiser.workbook.read import input_reader as reading
from optimiser.workbook.write.ownership import Kind, about, refuse_foreign
from tests.support.books import book
from tests.support.commands import run
from tests.support.linear_models import random_model
from tests.test_cli import TABLES

FULL = OSError(errno.ENOSPC, "No space left on device")


def test_what_a_killed_process_left_is_not_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that is killed leaves its file; one of the same number, in another container,
    writes its own.
    """
    path = tmp_path / "plan.xlsx"
    with monkeypatch.context() as killed:
        killed.setattr(Path, "unlink", lambda *_, **__: None)
        killed.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(FULL))
        with pytest.raises(OutputError, match="No space left"):
            files.replace(path, b"first")
    assert len(list(tmp_path.iterdir())) == 1
    files.check_place(path)
    files.replace(path, b"second")
    assert path.read_bytes() == b"second"
    assert len(list(tmp_path.iterdir())) == 2


def test_the_mode_of_a_replaced_file_stays_and_a_new_one_has_that_of_any_new_file(
    tmp_path: Path,
) -> None:
    old, new, plain = tmp_path / "old", tmp_path / "new", tmp_path / "plain"
    old.write_bytes(b"old")
    plain.touch()
    for mode in (0o600, 0o664):
        old.chmod(mode)
        files.replace(old, b"newer")
        assert old.stat().st_mode & 0o777 == mode
    files.replace(new, b"new")
    assert new.stat().st_mode == plain.stat().st_mode


def places(folder: Path) -> dict[str, tuple[Path, str]]:
    loop, pipe, full = folder / "loop.xlsx", folder / "pipe.xlsx", folder / "device.xlsx"
    loop.symlink_to(loop)
    os.mkfifo(pipe)
    full.symlink_to("/dev/null")
    (folder / "file").touch()
    (folder / "folder.xlsx").mkdir()
    return {
        "long": (folder / f"{'x' * 251}.xlsx", "File name too long"),
        "loop": (loop, "cannot be written"),
        "pipe": (pipe, "is no file but a device or pipe"),
        "device": (full, "is no file but a device or pipe"),
        "zero": (folder / "a\0b.xlsx", "cannot be written"),
        "below a file": (folder / "file" / "plan.xlsx", "there is no folder"),
        "folder": (folder / "folder.xlsx", "is a folder"),
    }


@pytest.mark.skipif(os.name == "nt", reason="links and pipes of POSIX")
@pytest.mark.parametrize(
    "where", ["long", "loop", "pipe", "device", "zero", "below a file", "folder"]
)
def test_what_cannot_be_written_is_reported_before_the_search(where: str, tmp_path: Path) -> None:
    path, said = places(tmp_path)[where]
    before = sorted(tmp_path.iterdir())
    with pytest.raises(OutputError, match=said) as raised:
        files.check_place(path)
    assert "\n" not in str(raised.value)
    assert sorted(tmp_path.iterdir()) == before


def test_the_longest_name_is_written(tmp_path: Path) -> None:
    path = tmp_path / f"{'x' * 250}.xlsx"
    files.check_place(path)
    assert list(tmp_path.iterdir()) == []
    files.replace(path, b"whole")
    assert path.read_bytes() == b"whole"


def test_a_full_disk_leaves_the_old_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HiGHS goes on in silence where a disk is full, and leaves a file that is cut short."""
    m, path = random_model(random.Random(0)), tmp_path / "model.mps"
    model_file.write_model(m, path)
    before = path.read_bytes()
    model_file.check_model_file(path)

    def cut(h: object, file: str) -> object:
        Path(file).write_bytes(before[: len(before) // 2])
        return model_file.highspy.HighsStatus.kOk

    with monkeypatch.context() as full:
        full.setattr(model_file.highspy.Highs, "writeModel", cut)
        with pytest.raises(OutputError, match="disk full"):
            model_file.write_model(m, path)
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(FULL))
        with pytest.raises(OutputError, match="No space left"):
            model_file.write_model(m, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_model_is_replaced_as_it_was_written_and_no_other_file(tmp_path: Path) -> None:
    m, path = random_model(random.Random(0)), tmp_path / "model.lp"
    model_file.write_model(m, path)
    model_file.check_model_file(path)
    for content in (path.read_bytes() + b"\\ mine\n", path.read_bytes()[:-9], b"mine"):
        path.write_bytes(content)
        with pytest.raises(OutputError, match="--force"):
            model_file.check_model_file(path)
        model_file.check_model_file(path, force=True)


# --- Workbooks ------------------------------------------------------------------------------------


PRICED = {
    **TABLES,
    "prices": [{"date": "2027-01-01", "ga": 5}],
    "uncertainty": [{"name": "ga", "kind": "price", "process": "geometric", "volatility": 0.2}],
}
COMMANDS: dict[str, tuple[Kind, Callable[[Path, Path], list[object]]]] = {
    "solve": (Kind.PLAN, lambda source, target: ["solve", source, "-o", target]),
    "check": (Kind.ERRORS, lambda source, target: ["check", source, "--errors", target]),
    "compare": (Kind.COMPARISON, lambda source, target: ["compare", source, source, "-o", target]),
    "scenarios": (
        Kind.SCENARIOS,
        lambda source, target: [
            "scenarios",
            source,
            "--samples",
            "20",
            "--keep",
            "2",
            "-o",
            target,
        ],
    ),
    "template": (Kind.TEMPLATE, lambda source, target: ["template", target]),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_only_what_the_program_wrote_is_replaced_without_force(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = book(tmp_path / "source.xlsx", PRICED), tmp_path / "target.xlsx"
    kind, arguments = COMMANDS[command]
    assert (ran := run(capsys, *arguments(source, target))).status == 0, ran.err
    own = target.read_bytes()
    if command != "template":
        assert (ran := run(capsys, *arguments(source, target))).status == 0, ran.err
    edited = openpyxl.load_workbook(target)
    edited.create_sheet("my notes")
    edited.save(target)
    for content in (target.read_bytes(), source.read_bytes(), own[: len(own) // 2], b"mine"):
        target.write_bytes(content)
        target.chmod(0o600)
        ran = run(capsys, *arguments(source, target))
        assert ran.status == 2
        assert ran.err.count("\n") == 1
        assert "--force" in ran.err
        assert target.read_bytes() == content
    assert run(capsys, *arguments(source, target), "--force").status == 0
    assert target.stat().st_mode & 0o777 == 0o600
    if command != "template":
        refuse_foreign(target, kind, force=False)
    for other in Kind:
        if other is not kind:
            with pytest.raises(OutputError, match="--force"):
                refuse_foreign(target, other, force=False)


def test_an_empty_file_is_nobodys(tmp_path: Path) -> None:
    (tmp_path / "plan.xlsx").touch()
    refuse_foreign(tmp_path / "plan.xlsx", Kind.PLAN, force=False)


def test_each_kind_is_recognised_by_its_subject() -> None:
    subjects = [str(about(kind, secrets.token_hex())["subject"]) for kind in Kind]
    assert not any(a != b and a.startswith(b) for a in subjects for b in subjects)


# --- What was read --------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["workbook", "folder"])
def test_the_checksum_is_of_the_bytes_that_were_read(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A workbook that is saved while it is planned does not get the plan of another."""
    source = tmp_path / "source"
    if form == "folder":
        source.mkdir()
        (source / "settings.csv").write_text("name,value\nstart,2027-01-01\nperiods,2\n")
        (source / "materials.csv").write_text("material\ngallium\n")
    else:
        source = book(tmp_path / "source.xlsx", TABLES)
    before, checked = reading.fingerprint(source), reading.check

    def saved_meanwhile(*given: Any, **named: Any) -> Any:
        for file in [source] if source.is_file() else list(source.iterdir()):
            file.write_bytes(file.read_bytes() + b"\n")
        return checked(*given, **named)

    monkeypatch.setattr(reading, "check", saved_meanwhile)
    assert reading.read(source).sha256 == before
    assert reading.fingerprint(source) != before
