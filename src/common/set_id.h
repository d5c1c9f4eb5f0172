/* Programs that choose files and policies by what their caller says must not have rights that their
 * caller has not. */
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
