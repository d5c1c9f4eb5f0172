"""The page shows a job's output while it runs, and its place in the queue while it waits."""

import signal

from proxies import plain

TALK = "import time\nprint('first', flush=True)\nprint('\\x1b[31m10%', end='\\r50%', flush=True)\ntime.sleep(600)"
PATIENT = {"limits": {"wall_time_ms": 600_000}, "caps": {"wall_time_ms": 600_000}}


def test_output_is_shown_while_the_job_runs(visitor, serve, policies):
    visitor.open(serve(policies=policies(run=PATIENT))).ready().paste(TALK).click("#run")
    visitor.until(lambda: visitor.all(".stdout pre") and "50%" in visitor.content(".stdout pre"))
    assert visitor.state == "running" and visitor.text(".verdict-title") == "Running"
    assert visitor.content(".stdout pre") == "first\n50%"  # as a terminal shows it
    assert visitor.script("return document.querySelector('.stdout .ink-red').textContent") == "50%"


def test_stop_keeps_what_was_shown(visitor, serve, policies):
    server = serve(policies=policies(run=PATIENT))
    visitor.open(server).ready().paste("import sys; print('lost?', file=sys.stderr, flush=True)\n" + TALK).click("#run")
    visitor.until(lambda: visitor.all(".stdout pre") and "50%" in visitor.content(".stdout pre"))
    visitor.click("#stop").finished()
    assert visitor.state == "stopped" and "what it had written" in visitor.text(".verdict-sentence")
    assert visitor.content(".stdout pre") == "first\n50%" and visitor.content(".stderr pre") == "lost?\n"
    assert visitor.shown(".stdout .save") and visitor.violations() == []
    assert "had left" in server.log.jobs(1)[0]["message"]


def test_a_connection_that_breaks_keeps_what_was_shown(visitor, serve, policies):
    server = serve(policies=policies(run=PATIENT))
    visitor.open(server).ready().paste(TALK).click("#run")
    visitor.until(lambda: visitor.all(".stdout pre") and "50%" in visitor.content(".stdout pre"))
    server.signal(signal.SIGKILL)
    visitor.finished()
    assert visitor.state == "error" and "ended before the verdict" in visitor.text(".verdict-sentence")
    assert visitor.content(".stdout pre") == "first\n50%"
    server.wait()


def test_a_job_says_its_place_in_the_queue_and_its_clock_starts_later(visitor, serve, policies):
    server = serve(jobs=1, queue=4, policies=policies(run=PATIENT))
    running = server.hold().started()
    waiting = server.hold()
    visitor.until(lambda: server.metric("sandbox_queue_length") == 1)
    visitor.open(server).ready().paste("import time; time.sleep(600)").click("#run")
    visitor.until(lambda: visitor.text(".verdict-title") == "Waiting")
    assert visitor.text(".verdict-sentence") == "Its place in the queue is 2." and visitor.text("#clock") == ""
    assert visitor.content("#status") == "Waiting. Its place in the queue is 2."
    running.release()
    visitor.until(lambda: visitor.text(".verdict-sentence") == "It is the next to run.")
    waiting.started().release()
    visitor.until(lambda: visitor.text(".verdict-title") == "Running" and visitor.text("#clock"))
    visitor.click("#stop").finished()


def test_stop_ends_the_wait(visitor, serve, policies):
    server = serve(jobs=1, queue=4, policies=policies(run=PATIENT))
    held = server.hold().started()
    visitor.open(server).ready().paste("print('never')").click("#run")
    visitor.until(lambda: visitor.text(".verdict-title") == "Waiting")
    visitor.click("#stop").finished()
    assert visitor.text(".verdict-sentence") == "You stopped the job before it wrote anything."
    held.release()


def test_a_proxy_that_allows_no_streams_changes_nothing_else(visitor, serve, proxy):
    lines = "proxy_set_header Accept application/json;"
    visitor.open(proxy("nginx", plain(serve(), lines, tls=False), tls=False)).ready()
    visitor.paste_and_run("import sys; print('whole'); print('apart', file=sys.stderr)")
    assert visitor.verdict == "ok" and visitor.content(".stdout pre") == "whole\n" and visitor.content(".stderr pre") == "apart\n"


def test_a_hostile_stream_does_not_keep_the_page_busy(page):
    page.paste("import sys\nwhile True: sys.stdout.write('\\x1b[31ma\\x1b[32mb' * 9); sys.stdout.flush()").click("#run")
    page.until(lambda: page.all(".stdout pre"))
    for _ in range(5):
        assert page.script("return document.querySelectorAll('.stdout .lines *').length") <= 20_002
    page.click("#stop").finished()
    assert page.state == "stopped"


def test_characters_and_control_sequences_that_come_in_parts_are_whole(page):
    page.paste_and_run("import os, time\nfor byte in 'ü\\x1b[31m€\\x1b[0m\\n'.encode():\n    os.write(1, bytes([byte])); time.sleep(0.02)\n"
                       "print(1 / 0)")
    assert page.content(".stdout pre") == "ü€\n" and page.text(".stdout .ink-red") == "€"
    assert page.shown(".jump")
