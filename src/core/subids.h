/* Ranges of subordinate ids, which an administrator gives to a user: subuid(5), subgid(5). */
#ifndef SB_SUBIDS_H
#define SB_SUBIDS_H

#include "core/uids.h"

/* Fills in the ranges of the user that we are: the first of each file. −1: there are none, and
 * uids->reason says so. */
int subids_find(struct sb_uids *uids);

/* Reads a line "NAME:FIRST:COUNT", with its newline or without. True when the name is `user` or, in
 * digits, `uid`, and the range has neither uid 0 nor one beyond 4294967294. */
bool subids_line(const char *line, const char *user, uint32_t uid, uint32_t *first,
                 uint32_t *count);

#endif
