/* What a job's first process tells its supervisor on a pipe of its own. */
#ifndef INSIDE_REPORT_H
#define INSIDE_REPORT_H

#include <stdbool.h>
#include <stdint.h>

/* The last message on the pipe is REPORT_FAILED or REPORT_EXITED. A warm child's channel has such
 * messages, too (src/zygote/protocol.h). */
struct report {
    enum { REPORT_FAILED = 1, REPORT_MISSING, REPORT_STARTED, REPORT_EXITED, REPORT_LISTENER } kind;
    int step;  /* REPORT_FAILED, REPORT_MISSING (best effort): which step of inside_step_name() */
    int value; /* REPORT_FAILED: errno; REPORT_EXITED: the script's wait status; REPORT_STARTED: CPU
                  time by then, in microseconds */
    bool alone; /* REPORT_EXITED: pid 1 has no child left: no other process of the job is alive */
    int64_t at_us; /* REPORT_STARTED, REPORT_EXITED: when, by CLOCK_MONOTONIC */
};

/* Writes a report to a pipe. A report that the supervisor cannot take any more is lost. */
void report_send(int pipe, const struct report *report);

#endif
