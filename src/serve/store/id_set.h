/* The ids of jobs that are watched. */
#ifndef SERVE_ID_SET_H
#define SERVE_ID_SET_H

#include <stdbool.h>

struct id_set {
    void *root; /* a tree of tsearch(3) */
};

bool id_set_has(const struct id_set *set, const char *id);
/* Adds an id (which is copied), or takes it out. Without memory it is not added. */
void id_set_put(struct id_set *set, const char *id, bool on);
void id_set_free(struct id_set *set);

#endif
