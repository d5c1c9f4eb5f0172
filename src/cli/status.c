#include "cli/status.h"

#include "common/util.h"

enum { SCRIPTS_OWN = -1, BY_SIGNAL = -2 };

/* 124 and 125 are timeout(1)'s, 137 is what the shell shows for a process that the kernel's
 * out-of-memory killer ended, 153 for one that SIGXFSZ did. */
static const struct {
    int status;
    const char *shown;
    const char *meaning;
} rows[] = {
    [SB_OK] = {SCRIPTS_OWN, "0", "the script ran to its end"},
    [SB_EXCEPTION] = {SCRIPTS_OWN, "1", "the script ended with an uncaught exception"},
    [SB_EXIT] = {SCRIPTS_OWN, "its own", "the script exited with a status other than 0"},
    [SB_SIGNAL] = {BY_SIGNAL, "128+N",
                   "signal N ended the script: its own, or one sent to sandbox-run"},
    [SB_TIMEOUT] = {124, "124", "the limit of --timeout was reached"},
    [SB_CPU_TIME] = {124, "124", "the limit of --cpu-time was reached"},
    [SB_MEMORY] = {137, "137", "the limit of --memory was reached"},
    [SB_OUTPUT] = {153, "153",
                   "too much output for a policy that says kill, or too large a result"},
    [SB_INTERNAL] = {STATUS_FAILED, "125", "the sandbox itself failed, or was called wrongly"},
};

int status_of(const struct sb_verdict *verdict)
{
    if ((size_t)verdict->word >= ARRAY_LEN(rows))
        return STATUS_FAILED;
    int status = rows[verdict->word].status;
    if (status == SCRIPTS_OWN)
        return verdict->exit_code >= 0 ? verdict->exit_code : STATUS_FAILED;
    if (status == BY_SIGNAL)
        return STATUS_SIGNAL + verdict->signal;
    return status;
}

void status_print(FILE *file)
{
    fprintf(file, "  %-8s  %-10s  %s\n", "status", "verdict", "meaning");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        fprintf(file, "  %-8s  %-10s  %s\n", rows[i].shown, sb_word_name((enum sb_word)i),
                rows[i].meaning);
}
