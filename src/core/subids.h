/* Ranges of subordinate ids that an administrator gave to a user: subuid(5), subgid(5). */
#ifndef SB_SUBIDS_H
#define SB_SUBIDS_H

#include "core/uids.h"

/* Fills in our user's ranges, the first in each file. −1: there are none, and uids->reason says
 * why. */
int subids_find(struct sb_uids *uids);

/* Reads a line "NAME:FIRST:COUNT", with or without a newline. True when NAME is `user`, or `uid` in
 * digits, and the range has neither uid 0 nor one above 4294967294. */
bool subids_line(const char *line, const char *user, uint32_t uid, uint32_t *first,
                 uint32_t *count);

#endif
