"""Making tokens."""

import os
import subprocess

import pytest

from sandbox_serve import SERVE, token_command


def test_a_policy_that_there_is_not_is_refused_by_name_and_no_token_is_made(tmp_path):
    ran = token_command("add", "alice", "--tokens", tmp_path / "tokens", "--policy", "rnu")
    assert ran.returncode == 1 and not ran.stdout
    assert "'rnu'" in ran.stderr and "run" in ran.stderr and "execute" in ran.stderr
    assert not (tmp_path / "tokens").exists() and not list(tmp_path.iterdir())


def test_where_no_policies_are_it_is_believed(tmp_path):
    ran = token_command("add", "alice", "--tokens", tmp_path / "tokens", "--policy", "rnu",
                        "--policies", tmp_path / "nowhere")
    assert ran.returncode == 0 and "policy=rnu" in (tmp_path / "tokens").read_text()


def test_the_first_token_makes_the_directory(tmp_path):
    ran = token_command("add", "alice", "--tokens", tmp_path / "etc" / "tokens")
    assert ran.returncode == 0 and "alice" in (tmp_path / "etc" / "tokens").read_text()
    assert (tmp_path / "etc").stat().st_mode & 0o777 == 0o755


def test_a_directory_that_can_not_be_made_is_named_with_the_remedy(tmp_path):
    ran = token_command("add", "alice", "--tokens", tmp_path / "no" / "etc" / "tokens")
    assert ran.returncode == 1 and f"{tmp_path}/no/etc" in ran.stderr and "mkdir -p" in ran.stderr
    ran = token_command("list", "--tokens", tmp_path / "etc" / "tokens")
    assert ran.returncode == 1 and not list(tmp_path.iterdir())


# ── The group that the unit runs the service with ────────────────────────────────────────────────

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
GROUP = 54321


@pytest.fixture
def with_group(tmp_path):
    """with_group(action, …): token_command on a host that has the unit's group."""
    groups = tmp_path / "group"
    groups.write_text(f"root:x:0:\nsandbox-serve:x:{GROUP}:\n")

    def call(*arguments):
        ran = subprocess.run(["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/group && exec "$@"', groups,
                              SERVE, "token", *map(str, arguments)], capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran
        return ran

    return call


def access(path):
    return path.stat().st_uid, path.stat().st_gid, path.stat().st_mode & 0o777


@needs_root
def test_the_first_token_makes_a_file_that_the_unit_can_read(with_group, tmp_path):
    file = tmp_path / "etc" / "tokens"
    said = with_group("add", "alice", "--tokens", file)
    assert access(file) == (0, GROUP, 0o640) and "chgrp" not in said.stderr
    with_group("add", "bob", "--tokens", file)
    with_group("remove", "alice", "--tokens", file)
    assert access(file) == (0, GROUP, 0o640)


@needs_root
def test_where_there_is_no_such_group_it_is_for_its_owner_alone(tmp_path):
    ran = token_command("add", "alice", "--tokens", tmp_path / "tokens")
    assert ran.returncode == 0 and access(tmp_path / "tokens") == (0, os.getegid(), 0o600)


@needs_root
@pytest.mark.parametrize("gid, mode, closed", [
    (0, 0o600, True), (GROUP, 0o600, True), (0, 0o640, True), (GROUP, 0o640, False), (0, 0o644, False)])
def test_a_file_that_was_there_stays_as_it_was_and_it_is_said_when_the_unit_can_not_read_it(with_group, tmp_path, gid, mode,
                                                                                           closed):
    file = tmp_path / "tokens"
    file.touch()
    file.chmod(mode)
    os.chown(file, 0, gid)
    said = with_group("add", "alice", "--tokens", file).stderr
    assert access(file) == (0, gid, mode)
    assert (f"chgrp sandbox-serve {file} && chmod 640 {file}" in said) == closed
    with_group("list", "--tokens", file)
