"""Making tokens."""

from conftest import token_command


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
