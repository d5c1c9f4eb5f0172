/* A program whose caller chooses files and policies must not have rights that the caller lacks. */
#ifndef SB_SET_ID_H
#define SB_SET_ID_H

#include <stdbool.h>
#include <unistd.h>

/* Whether this program was started by a set-user-ID or set-group-ID file. */
static inline bool is_set_id(void)
{
    return geteuid() != getuid() || getegid() != getgid();
}

#endif
