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
