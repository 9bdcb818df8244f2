"""The examples of ``docs/cron.md`` are what they say: they parse, and every ``factory`` line in them is understood."""

import os
import re
import shutil
import subprocess

import pytest
import yaml
from click.testing import CliRunner
from conftest import ROOT

from factory.cli import cli

EXAMPLES = ROOT / "examples" / "cron"
_LINE = re.compile(r"(?:^|[ /])factory ((?:generate|diff) [^|><\n]*?)(?= \|\||\s*>|\s*$)", re.MULTILINE)


def lines():
    """Every command line of the examples and of the page about them."""
    for file in (*sorted(EXAMPLES.iterdir()), ROOT / "docs" / "cron.md"):
        for found in _LINE.finditer(file.read_text()):
            yield pytest.param(found[1].split(), id=f"{file.name}:{found[1]}")


@pytest.mark.parametrize("arguments", list(lines()))
def test_every_option_is_known(arguments):
    told = CliRunner().invoke(cli, [arguments[0], "--help"]).output
    for option in (argument for argument in arguments if argument.startswith("--")):
        assert option in told


def workflow():
    return yaml.safe_load((EXAMPLES / "refresh.yml").read_text())


def test_the_workflow_is_one():
    flow = workflow()
    # YAML 1.1 reads the key "on" as a truth value, and GitHub does not.
    assert flow[True]["schedule"][0]["cron"].count(" ") == 4
    assert flow["permissions"] == {"contents": "write", "pull-requests": "write"}
    steps = flow["jobs"]["refresh"]["steps"]
    assert all(("uses" in step) != ("run" in step) for step in steps)


def test_the_scripts_of_the_workflow_are_sound_shell():
    for step in workflow()["jobs"]["refresh"]["steps"]:
        if "run" in step:
            subprocess.run(["bash", "-n"], input=step["run"], text=True, check=True)


def test_the_pull_request_step_commits_a_new_version_and_its_diff(tmp_path):
    """Run it for real, but for GitHub: a bare repository is origin, and ``gh`` writes down what it is told."""
    if not shutil.which("git"):
        pytest.skip("no git on this machine")
    [script] = [step["run"] for step in workflow()["jobs"]["refresh"]["steps"] if "gh pr" in step.get("run", "")]
    home, work, binaries = tmp_path / "home", tmp_path / "work", tmp_path / "bin"
    for folder in (home, work, binaries):
        folder.mkdir()
    for name, said in (("gh", 'echo "$@" > "$RUNNER_TEMP/gh"'), ("factory", "echo '## Dataset'")):
        (binaries / name).write_text(f"#!/bin/sh\n{said}\n")
        (binaries / name).chmod(0o755)
    environment = {"PATH": f"{binaries}:{os.environ['PATH']}", "HOME": str(home), "RUNNER_TEMP": str(tmp_path)}

    def shell(text):
        done = subprocess.run(
            ["bash", "-e", "-c", text], cwd=work, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    shell("git init -q --bare ../origin && git init -q && git remote add origin ../origin")
    shell("git -c user.name=a -c user.email=a@b.c commit -q --allow-empty -m first")
    (work / "factory-data" / "versions" / "v0002").mkdir(parents=True)
    (work / "factory-data" / "versions" / "v0002" / "train.jsonl").write_text("{}\n")
    (work / "factory-data" / "latest").symlink_to("versions/v0002")
    shell(script)
    assert "Dataset v0002" in (tmp_path / "gh").read_text()
    assert (tmp_path / "body.md").read_text() == "## Dataset\n"
    assert "factory-data/latest" in shell("git ls-tree -r --name-only origin/dataset-v0002")
    shell(script)  # nothing new: nothing is pushed
