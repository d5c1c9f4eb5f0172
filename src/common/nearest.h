/* Suggestions for misspelt names. */
#ifndef SB_NEAREST_H
#define SB_NEAREST_H

#include <stddef.h>

#define NEAREST_TEXT_SIZE 320

/* The name that differs from `word` by the fewest letters left out, added, changed or exchanged
 * with their neighbour, where these are few; NULL: none is near. */
const char *nearest_name(const char *word, const char *const *names, size_t count);

/* One sentence on an option, "--memroy" or "--me=1", that is not one of these names (without "--")
 * or is short for several. Returns `text`. */
const char *nearest_option(char text[NEAREST_TEXT_SIZE], const char *option,
                           const char *const *names, size_t count);

#endif
