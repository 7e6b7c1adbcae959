"""What every command does before it does anything: helps at once, and tells a user's mistake in a line."""

import signal
import subprocess
import sys
import time

import pytest

from localcloud.cli import COMMANDS, main
from tests.localcloud.local_stack import REPOSITORY

HEAVY = {"boto3", "pulumi", "rich", "yaml", "numpy", "PIL", "moto", "sklearn"}


def test_helping_imports_nothing_heavy():
    code = (
        "import sys; from localcloud.cli import parser; parser().format_help(); "
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert not HEAVY & set(said.stdout.split())


@pytest.mark.parametrize("words", [[], *([each.__name__.rpartition(".")[2]] for each in COMMANDS)], ids=" ".join)
def test_help_is_printed(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main([*words, "--help"])
    assert ended.value.code == 0 and capsys.readouterr().out.startswith("usage: python -m localcloud")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["classify", "--random", "-3"], "argument --random: must be a whole number from 0 on, got '-3'"),
        (["classify", "--random", "few"], "got 'few'"),
        (["up", "--config", "x"], "error: --config takes KEY=VALUE, got 'x'"),
        (["outputs"], "error: nothing is up; run: "),
        (["classify", "a.png"], "error: nothing is up; run: "),
        (["run"], "error: give a command, such as: "),
        (["up", "--stack", "nope"], "error: there is no stack 'nope'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_user_s_mistake_is_one_line_and_exit_code_two(words, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Pulumi.yaml").write_text("name: scones\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("")
    try:
        code = main(words)
    except SystemExit as ended:
        code = ended.code
    error = capsys.readouterr().err
    assert code == 2 and said in error and "Traceback" not in error


def test_a_command_is_named_so_that_it_can_be_pasted(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["outputs"]) == 2
    command = capsys.readouterr().err.partition("run: ")[2].split()
    assert command[1:] == ["-m", "localcloud", "up", "--stack", "dev"]
    finished = subprocess.run([*command, "--help"], cwd=REPOSITORY, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr


def test_an_interrupt_during_the_imports_is_no_traceback(tmp_path):
    (tmp_path / "boto3.py").write_text("import time\nprint('importing', flush=True)\ntime.sleep(60)\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "localcloud", "outputs"],
        cwd=REPOSITORY,
        env={"PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout.readline() == b"importing\n"
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert (process.returncode, said) == (130, b"interrupted\n")
