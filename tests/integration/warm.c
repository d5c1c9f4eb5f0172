/* Runs scripts warm, one after the other, and prints each verdict as JSON: warm POLICIES POLICY
 * ROOTFS CODE…. Waits until children are parked, without looking at a clock. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox.h"

static void print(void *user, const struct sb_verdict *verdict)
{
    char *text = sb_verdict_json(verdict, 0);
    (void)user;
    puts(text != NULL ? text : "no memory");
    free(text);
}

static int fail(const struct sb_error *err)
{
    fprintf(stderr, "%s\n", err->message);
    return 1;
}

int main(int argc, char **argv)
{
    struct sb_error err;
    struct sb_sandbox *sandbox;
    struct sb_policy *policy;
    if (argc < 5)
        return 2;
    const char *cgroup = getenv("SANDBOX_TEST_CGROUP");
    struct sb_options options = {
        .rootfs = argv[3], .cgroup = (enum sb_cgroup)sb_cgroup_from_name(cgroup ? cgroup : "auto")};
    if (sb_policy_load(&policy, argv[1], argv[2], &err) < 0 ||
        sb_open(&sandbox, &options, &err) < 0 ||
        sb_warm_enable(sandbox, &(struct sb_warm_options){0}, &err) < 0)
        return fail(&err);
    sb_warm_prepare(sandbox, policy);
    for (int i = 4; i < argc; i++) {
        while (sb_warm_state(sandbox, policy).parked == 0)
            if (sb_warm_state(sandbox, policy).reason[0] != '\0' ||
                sb_turn(sandbox, 1000, &err) < 0) {
                fprintf(stderr, "%s\n", sb_warm_state(sandbox, policy).reason);
                return 1;
            }
        struct sb_job job = {
            .policy = policy, .code = argv[i], .code_size = strlen(argv[i]), .on_done = print};
        if (sb_start(sandbox, &job, NULL, &err) < 0)
            return fail(&err);
        while (sb_running(sandbox) > 0)
            if (sb_turn(sandbox, -1, &err) < 0)
                return fail(&err);
    }
    sb_close(sandbox);
    sb_policy_free(policy);
    return 0;
}
