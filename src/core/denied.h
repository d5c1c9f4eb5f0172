/* Refused calls that a policy wants to be told of ("report_denied"): what a job tried, as evidence
 * beside its verdict. */
#ifndef SB_DENIED_H
#define SB_DENIED_H

#include <stdbool.h>
#include <stdint.h>

#include "sandbox.h"

struct denied;
struct sb_run;

/* What came from the job: its listener, which becomes the run's, FD_DROPPED, or −1. */
void denied_begin(struct sb_run *run, int listener);
/* An event of SOURCE_DENIED. True: further calls have to wait, see denied_left. */
bool denied_ready(struct sb_run *run, uint32_t events);
/* One of those that must wait may be answered again: microseconds until then, INT64_MAX where none
 * waits. */
int64_t denied_left(const struct sb_run *run, int64_t now_us);
/* That time has come, or not yet. */
void denied_resume(struct sb_run *run);
/* What a verdict says. The texts are the run's. Returns how many, −1: that can't be told. */
int64_t denied_list(const struct sb_run *run, const struct sb_denied **list);
void denied_free(struct sb_run *run);

#endif
