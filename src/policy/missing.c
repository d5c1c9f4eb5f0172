/* See missing.h. */
#include "policy/missing.h"

#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/util.h"

static const struct {
    unsigned missing;
    const char *name;
} names[] = {
    {SB_MISSING_MEMORY, "memory"},     {SB_MISSING_CPU, "cpu"},         {SB_MISSING_PIDS, "pids"},
    {SB_MISSING_CPU_TIME, "cpu_time"}, {SB_MISSING_RLIMITS, "rlimits"}, {SB_MISSING_PROC, "proc"},
    {SB_MISSING_HOSTNAME, "hostname"},
};

const char *missing_name(unsigned missing)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i].missing == missing)
            return names[i].name;
    return NULL;
}

unsigned missing_of_name(const char *name, size_t size)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strlen(names[i].name) == size && memcmp(names[i].name, name, size) == 0)
            return names[i].missing;
    return 0;
}

const char *missing_names(char text[static MISSING_NAMES_SIZE])
{
    size_t length = 0;
    for (size_t i = 0; i < ARRAY_LEN(names) && length < MISSING_NAMES_SIZE; i++)
        length += (size_t)snprintf(text + length, MISSING_NAMES_SIZE - length, "%s%s",
                                   i == 0 ? "" : ", ", names[i].name);
    return text;
}

int sb_missing_parse(const char *list, unsigned *missing, struct sb_error *err)
{
    char text[MISSING_NAMES_SIZE];
    if (list == NULL)
        return sb_fail_null(err, "names", "such as \"memory\"");
    if (missing == NULL)
        return sb_fail_null(err, "missing", "the address of a number");
    unsigned found = *missing = 0;
    for (const char *at = list;; at++) {
        at += strspn(at, " ");
        size_t size = strcspn(at, ", ");
        unsigned one = missing_of_name(at, size);
        if (one == 0)
            return sb_fail_field(err, "missing", "allow-missing",
                                 "there is no '%.*s' that may be missing: give one or more of %s",
                                 (int)MIN(size, 40), at, missing_names(text));
        found |= one;
        at += size + strspn(at + size, " ");
        if (*at == '\0')
            break;
        if (*at != ',')
            return sb_fail_field(err, "missing", "allow-missing",
                                 "names of what may be missing have commas between them, not "
                                 "'%.40s'",
                                 list);
    }
    *missing = found;
    return 0;
}
