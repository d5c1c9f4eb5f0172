/* See id_set.h. */
#include "serve/store/id_set.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

bool id_set_has(const struct id_set *set, const char *id)
{
    return tfind(id, &set->root, compare) != NULL;
}

void id_set_put(struct id_set *set, const char *id, bool on)
{
    void *const *found = tfind(id, &set->root, compare);
    if (on == (found != NULL))
        return;
    if (on) {
        char *copy = strdup(id);
        if (copy != NULL && tsearch(copy, &set->root, compare) == NULL)
            free(copy);
        return;
    }
    char *old = *found;
    tdelete(old, &set->root, compare);
    free(old);
}

void id_set_free(struct id_set *set)
{
    tdestroy(set->root, free);
    set->root = NULL;
}
