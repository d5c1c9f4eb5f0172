/* Programs that do one thing for us (tool.h): their signals, their output, their end. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/tool.h"
#include "unit.h"

static int shell(const char *command, int out)
{
    const char *const argv[] = {"sh", "-c", command, NULL};
    return tool_run(argv, out);
}

static void a_signal_that_the_caller_blocks_ends_a_tool(void **state)
{
    sigset_t blocked, before;
    (void)state;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    assert_int_equal(shell("kill -TERM $$; exit 0", -1), -1);
    assert_int_equal(errno, 0);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

static void a_signal_that_the_caller_ignores_ends_a_tool(void **state)
{
    (void)state;
    signal(SIGTERM, SIG_IGN);
    assert_int_equal(shell("kill -TERM $$; exit 0", -1), -1);
    signal(SIGTERM, SIG_DFL);
}

static void its_output_goes_where_it_is_wanted_or_nowhere(void **state)
{
    char text[16] = "";
    int ends[2];
    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(shell("echo said; echo not shown >&2; cat", ends[1]), 0);
    assert_int_equal(read(ends[0], text, sizeof(text) - 1), 5);
    assert_string_equal(text, "said\n");
    close(ends[0]);
    close(ends[1]);
}

static void its_failure_has_no_errno_and_a_missing_one_has(void **state)
{
    const char *const missing[] = {"no-such-program-of-sandbox-run", NULL};
    (void)state;
    assert_int_equal(shell("exit 3", -1), -1);
    assert_int_equal(errno, 0);
    assert_int_equal(tool_run(missing, -1), -1);
    assert_int_equal(errno, ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_that_the_caller_blocks_ends_a_tool),
        cmocka_unit_test(a_signal_that_the_caller_ignores_ends_a_tool),
        cmocka_unit_test(its_output_goes_where_it_is_wanted_or_nowhere),
        cmocka_unit_test(its_failure_has_no_errno_and_a_missing_one_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
