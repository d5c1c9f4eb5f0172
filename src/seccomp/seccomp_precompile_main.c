/* seccomp-precompile PROFILE OUTPUT REPORTING: compiles a seccomp profile when the project is
 * built, without and with reports of refused calls, so that a job has only to load the program. */
#include <stdio.h>

#include "seccomp/seccomp.h"

int main(int argc, char **argv)
{
    struct sb_error err;
    if (argc != 4) {
        fprintf(stderr, "usage: seccomp-precompile PROFILE.json OUTPUT.bpf OUTPUT.report.bpf\n");
        return 2;
    }
    if (filter_precompile(argv[1], argv[2], false, &err) < 0 ||
        filter_precompile(argv[1], argv[3], true, &err) < 0) {
        fprintf(stderr, "seccomp-precompile: %s\n", err.message);
        return 1;
    }
    return 0;
}
