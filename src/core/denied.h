/* Refused calls that a policy wants reported ("report_denied"): what a job tried, as evidence
 * beside its verdict. */
#ifndef SB_DENIED_H
#define SB_DENIED_H

#include <stdbool.h>
#include <stdint.h>

#include "sandbox.h"

struct denied;
struct sb_run;

/* Takes the listener that came from the job; the run owns it. FD_DROPPED: it was not taken; −1:
 * none came. */
void denied_begin(struct sb_run *run, int listener);
/* An event of SOURCE_DENIED. True: further calls have to wait, see denied_left. */
bool denied_ready(struct sb_run *run, uint32_t events);
/* Microseconds until a waiting call may be answered again; INT64_MAX: none waits. */
int64_t denied_left(const struct sb_run *run, int64_t now_us);
/* Answers waiting calls again, if their time has come. */
void denied_resume(struct sb_run *run);
/* The calls for the verdict; the run owns the texts. Returns how many, −1: not known. */
int64_t denied_list(const struct sb_run *run, const struct sb_denied **list);
void denied_free(struct sb_run *run);

#endif
