"""The page of stored jobs: one's own, newest first, as they are now; their answers; and how one is cancelled."""

import pytest
from selenium.webdriver.common.keys import Keys

from http_client import bearer
from sandbox_serve import Waiting
from waiting import SECONDS

NARROW = (390, 844)
PATH = "/jobs.html"


def submit(server, code, headers=None, **fields):
    answer = server.post("/jobs", {"code": code, **fields}, headers)
    assert answer.status == 202, answer
    return answer.json["id"]


def ended(server, number, headers=None):
    while (found := server.get(f"/jobs/{number}?wait=60", headers).json)["state"] in ("queued", "running"):
        pass
    return found


class HeldJob(Waiting):
    """A stored job that runs until the test lets it go on."""

    def __init__(self, server, first=""):
        super().__init__(server)
        self.id = submit(server, first + self.code, policy="default", limits={"wall_time_ms": 1000 * SECONDS})


@pytest.fixture
def kept(serve):
    """A service that keeps jobs, and runs one at a time."""
    return serve(store="memory", jobs=1)


def ids(visitor):
    return [row.get_attribute("data-id") for row in visitor.all(".job")]


def state(visitor, number):
    return visitor.text(f".job[data-id='{number}'] .job-state")


def facts(visitor, number):
    terms = visitor.all(f".job[data-id='{number}'] dt")
    return {term.text.rstrip(":"): term.find_element("xpath", "following-sibling::dd").text for term in terms}


def press(visitor, number, button):
    visitor.click(f".job[data-id='{number}'] .{button}")
    return visitor


def look(visitor, server, number=None):
    """Opens the page, and waits until it lists a job."""
    visitor.open(server, PATH)
    visitor.until(lambda: number in ids(visitor) if number else visitor.shown("#jobs-empty"))
    return visitor


def test_without_a_store_the_page_says_how_to_get_one(visitor, serve):
    visitor.open(serve(), PATH).until(lambda: visitor.shown("#jobs-notice"))
    assert "keeps no jobs" in visitor.text("#jobs-notice") and "--store" in visitor.text("#jobs-notice")
    assert not visitor.shown("#jobs-empty") and visitor.violations() == []


def test_who_has_no_jobs_is_told_how_to_send_one(visitor, kept):
    look(visitor, kept)
    assert "POST /jobs" in visitor.text("#jobs-empty")


def test_the_main_page_leads_there(page):
    page.find("nav").find_element("link text", "Jobs").click()
    page.until(lambda: page.shown("#jobs-panel"))
    assert page.text("h1") == "Your jobs"


def test_jobs_are_listed_newest_first_with_what_became_of_them(visitor, kept):
    numbers = []
    for _ in range(3):
        numbers.append(submit(kept, "print(1)"))
        ended(kept, numbers[-1])
    look(visitor, kept, numbers[0])
    assert ids(visitor) == numbers[::-1]
    told = facts(visitor, numbers[0])
    assert set(told) == {"Policy", "Created", "Started", "Ended", "Took", "Tries"}
    assert told["Policy"] == "run" and told["Tries"] == "1"
    assert state(visitor, numbers[0]) == "done" and not visitor.shown(".job .cancel")


def test_a_job_that_waits_has_its_place_in_the_queue(visitor, kept):
    first = HeldJob(kept)
    first.started()
    second, third = submit(kept, "print(2)"), submit(kept, "print(3)")
    look(visitor, kept, third)
    visitor.until(lambda: facts(visitor, third).get("Place in the queue") == "2")
    assert facts(visitor, second)["Place in the queue"] == "1" and state(visitor, first.id) == "running"
    first.let_go()
    visitor.until(lambda: state(visitor, third) == "done")
    assert "Place in the queue" not in facts(visitor, third)


def test_the_list_follows_its_jobs_without_moving_what_is_there(visitor, kept):
    job = HeldJob(kept)
    job.started()
    look(visitor, kept, job.id)
    visitor.script("""document.querySelector('.job').dataset.mine = 'yes';
        document.querySelector('.job .show').focus();
        window.said = [];
        new MutationObserver(() => window.said.push(document.querySelector('#news').textContent))
            .observe(document.querySelector('#news'), {childList: true});""")
    job.let_go()
    visitor.until(lambda: state(visitor, job.id) == "done")
    assert visitor.find(".job").get_attribute("data-mine") == "yes"  # the same row
    assert visitor.script("return document.activeElement.className") == "small show"
    assert visitor.script("return window.said") == [f"Job {job.id[:8]} is done."]
    assert visitor.find("#news").get_attribute("aria-live") == "polite"


@pytest.fixture
def timers(visitor):
    """timers(): the delays of what the page has planned for later."""
    script = visitor.cdp("Page.addScriptToEvaluateOnNewDocument", source="""
        const planned = new Map(), [plan, clear] = [window.setTimeout, window.clearTimeout];
        window.setTimeout = (what, ms) => {
            const id = plan(() => { planned.delete(id); what(); }, ms);
            planned.set(id, ms);
            return id;
        };
        window.clearTimeout = (id) => { planned.delete(id); clear(id); };
        window.plannedFor = () => [...planned.values()];""")
    yield lambda: visitor.script("return window.plannedFor()")
    visitor.cdp("Page.removeScriptToEvaluateOnNewDocument", identifier=script["identifier"])


def test_the_service_is_asked_again_only_while_a_job_has_not_ended(visitor, kept, timers):
    job = HeldJob(kept)
    job.started()
    look(visitor, kept, job.id)
    visitor.until(lambda: timers() == [1000])
    job.let_go()
    visitor.until(lambda: state(visitor, job.id) == "done")
    assert timers() == []
    number = submit(kept, "print(1)")
    visitor.click("#refresh").until(lambda: ids(visitor) == [number, job.id])


def test_an_answer_is_shown_as_the_main_page_shows_it(visitor, kept):
    number = submit(kept, "import sys\nprint('out')\nprint('err', file=sys.stderr)\nopen('a.txt', 'w').write('1')\n"
                          "display({'a': 1})\n1 / 0", policy="default", notebook=True, collect=True)
    assert ended(kept, number)["state"] == "done"
    press(look(visitor, kept, number), number, "show").finished()
    assert visitor.state == "done" and visitor.verdict == "exception"
    assert visitor.content(".stdout pre") == "out\n" and visitor.content(".display pre") == "{'a': 1}"
    assert "err" in visitor.content(".stderr pre") and "ZeroDivisionError" in visitor.content(".stderr pre")
    assert visitor.text(".returned .file-name") == "a.txt"
    assert number[:8] in visitor.text("#result-title")
    assert visitor.violations() == []


def test_the_value_of_a_function_is_shown(visitor, kept):
    number = submit(kept, "def main(): return [1, 2]", call="main")
    ended(kept, number)
    press(look(visitor, kept, number), number, "show").finished()
    assert visitor.content(".value pre") == "[\n  1,\n  2\n]"


def test_the_output_of_a_job_that_runs_is_shown_as_it_comes(visitor, kept):
    job = HeldJob(kept, "print('so far', flush=True)\n")
    job.started()
    press(look(visitor, kept, job.id), job.id, "show")
    visitor.until(lambda: "so far" in visitor.text(".live"))
    assert visitor.state == "running"
    job.let_go()
    visitor.finished()
    assert visitor.content(".stdout pre") == "so far\nlet go\n"
    visitor.until(lambda: state(visitor, job.id) == "done")


def test_another_job_may_be_chosen_while_one_is_followed(visitor, kept):
    done = submit(kept, "print('before')")
    ended(kept, done)
    job = HeldJob(kept, "print('so far', flush=True)\n")
    job.started()
    press(look(visitor, kept, job.id), job.id, "show")
    visitor.until(lambda: "so far" in visitor.text(".live"))
    press(visitor, done, "show").finished()
    job.let_go()
    visitor.until(lambda: state(visitor, job.id) == "done")
    assert visitor.content(".stdout pre") == "before\n"
    assert [row.get_attribute("data-id") for row in visitor.all(".job.open")] == [done]


def test_a_job_is_cancelled_only_once_that_is_confirmed(visitor, kept):
    job = HeldJob(kept)
    job.started()
    press(look(visitor, kept, job.id), job.id, "cancel")
    assert job.id[:8] in visitor.text("#cancel-help") and visitor.violations() == []
    visitor.click("#cancel-keep")
    assert not visitor.shown("#cancel-box") and state(visitor, job.id) == "running"
    press(visitor, job.id, "cancel").click("#cancel-do")
    visitor.until(lambda: state(visitor, job.id) == "cancelled")
    assert ended(kept, job.id)["state"] == "cancelled" and not visitor.shown(".job .cancel")
    press(visitor, job.id, "show").finished()
    assert visitor.state == "error" and visitor.text(".verdict-title") == "Cancelled"


def test_a_job_is_cancelled_by_keyboard(visitor, kept):
    job = HeldJob(kept)
    job.started()
    look(visitor, kept, job.id)
    for _ in range(20):
        visitor.keys(Keys.TAB)
        if "cancel" in visitor.script("return document.activeElement.className"):
            break
    visitor.keys(Keys.ENTER).until(lambda: visitor.shown("#cancel-box"))
    visitor.keys(Keys.ESCAPE).until(lambda: not visitor.shown("#cancel-box"))
    assert "cancel" in visitor.script("return document.activeElement.className")  # where it was
    visitor.keys(Keys.ENTER, Keys.TAB)
    assert visitor.focused == "cancel-do"
    visitor.keys(Keys.ENTER).until(lambda: state(visitor, job.id) == "cancelled")
    assert "show" in visitor.script("return document.activeElement.className")  # its neighbour: it is gone


def test_each_token_sees_its_own_jobs(visitor, serve, token):
    one, other = token("one"), token("other")
    server = serve(store="memory", tokens=token.file)
    mine = submit(server, "print('mine')", bearer(one))
    theirs = submit(server, "print('theirs')", bearer(other))
    visitor.open(server, PATH).until(lambda: visitor.shown("#token-box"))
    visitor.fill("#token", one).keys(Keys.ENTER).until(lambda: ids(visitor) == [mine])
    ended(server, mine, bearer(one))
    press(visitor, mine, "show").finished()
    assert visitor.content(".stdout pre") == "mine\n"
    visitor.click("#token-change").fill("#token", other).keys(Keys.ENTER).until(lambda: ids(visitor) == [theirs])
    assert visitor.state == "empty"


def filled(visitor, server):
    ended(server, submit(server, "print('x' * 5000)"))
    job = HeldJob(server)
    job.started()
    submit(server, "print(1)")
    press(look(visitor, server, job.id), ids(visitor)[-1], "show").finished()


@pytest.mark.parametrize("size", [(1440, 900), NARROW], ids=["desktop", "phone"])
def test_axe_finds_nothing_in_light_and_dark(visitor, kept, size):
    visitor.screen(size)
    filled(visitor, kept)
    for scheme, dark in (("light", "false"), ("dark", "true")):
        visitor.prefers(scheme).until(lambda: visitor.find("#theme").get_attribute("aria-pressed") == dark)
        assert visitor.violations() == []


@pytest.mark.parametrize("width", [320, NARROW[0], 960, 1920])
def test_nothing_is_wider_than_the_screen(visitor, kept, width):
    visitor.screen((width, 800))
    filled(visitor, kept)
    press(visitor, ids(visitor)[0], "cancel")
    wide = visitor.script("""const most = document.documentElement.clientWidth;
        return [...document.querySelectorAll("body *")].filter((node) => node.getBoundingClientRect().right > most + 0.5
            && !node.closest("pre, .hidden-text, .skip")).map((node) => node.outerHTML.slice(0, 100));""")
    assert wide == []
    small = visitor.script("""return [...document.querySelectorAll("button")]
        .filter((node) => node.offsetParent && node.getBoundingClientRect().height < 36).map((node) => node.outerHTML)""")
    assert small == []
