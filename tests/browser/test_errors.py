"""The page when the service does not take a job."""

import re
import signal


def refused(visitor):
    assert visitor.state == "error"
    return visitor.find("#result").get_attribute("data-error"), visitor.text(".verdict-sentence")


def test_no_room(visitor, serve, policies):
    patient = {"wall_time_ms": 600_000}
    server = serve(jobs=1, queue=0, policies=policies(run={"limits": patient, "caps": patient}))
    visitor.open(server).ready()
    held = server.hold().started()
    visitor.paste_and_run("print(1)")
    kind, sentence = refused(visitor)
    assert kind == "busy" and re.findall(r"again", sentence) == ["again"], sentence
    assert re.search(r"try again in \d+ s\.$", sentence), sentence
    held.release()
    visitor.run()
    assert visitor.content(".stdout pre") == "1\n"


def test_too_often(visitor, serve):
    server = serve(rate=0.001, burst=3)
    visitor.open(server)
    for _ in range(5):
        visitor.paste_and_run("print(1)")
        if visitor.state == "error":
            break
    kind, sentence = refused(visitor)
    assert kind == "rate" and re.search(r"try again in \d+ s\.$", sentence), sentence
    assert sentence.count("again") == 1


def test_nothing_answers(visitor, serve):
    server = serve()
    visitor.open(server).ready()
    server.stop()
    visitor.run()
    kind, sentence = refused(visitor)
    assert kind == "absent" and visitor.origin in sentence and "sandbox-serve" in sentence


def test_the_service_stops_while_a_job_runs(visitor, serve):
    server = serve(grace=0)
    visitor.open(server).ready().paste("import time; print('so far', flush=True); time.sleep(9)").click("#run")
    visitor.until(lambda: server.metric("sandbox_jobs_running") == 1)
    server.signal(signal.SIGTERM)
    visitor.finished()
    assert visitor.state in ("done", "error")
    assert "stop" in visitor.text(".verdict-sentence")
