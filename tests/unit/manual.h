/* For tests that hold the manual to its word: what a section of sandbox-policy(5) shows. */
#ifndef MANUAL_H
#define MANUAL_H

#include "unit.h"

#include <stdbool.h>
#include <stdio.h>

/* The lines between .Bd and .Ed below the heading, as a reader copies them. */
static inline void manual_example(const char *heading, char *text, size_t most)
{
    FILE *manual = fopen(SB_MAN_SOURCE "/sandbox-policy.5", "re");
    assert_non_null(manual);
    char line[512], wanted[64];
    size_t used = 0;
    bool section = false, display = false;
    snprintf(wanted, sizeof(wanted), ".Sh %s\n", heading);
    text[0] = '\0';
    while (fgets(line, sizeof(line), manual) != NULL) {
        if (strncmp(line, ".Sh", 3) == 0)
            section = strcmp(line, wanted) == 0;
        else if (section && strncmp(line, ".Bd", 3) == 0)
            display = true;
        else if (strncmp(line, ".Ed", 3) == 0)
            display = false;
        else if (section && display) {
            assert_true(used + strlen(line) < most);
            strcpy(text + used, line);
            used += strlen(line);
        }
    }
    fclose(manual);
    if (used == 0)
        fail_msg("sandbox-policy(5) shows nothing below \"%s\"", heading);
    assert_null(strchr(text, '\\')); /* mdoc's escapes would have to be undone */
}

#endif
