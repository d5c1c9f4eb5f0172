/* Runs helper programs of the host: busctl, newuidmap. */
#ifndef SB_TOOL_H
#define SB_TOOL_H

/* Runs a program, looked for in PATH, to its end; its output goes into `out` unless that is −1. 0
 * when it exited with 0; else −1, with errno, or with errno 0 when it ran and failed. */
int tool_run(const char *const argv[], int out);

#endif
