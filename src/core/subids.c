/* See subids.h. */
#include "core/subids.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/util.h"

/* A smaller range is treated as none: a service may have this many jobs and parked children. */
#define FEWEST 1024

/* Reads a number and the character `end` behind it; NULL: there is something else. */
static const char *take_number(const char *text, char end, uint32_t *number)
{
    uint64_t value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9' && value <= UINT32_MAX; at++)
        value = value * 10 + (uint64_t)(*at - '0');
    *number = (uint32_t)value;
    return at > text && *at == end && value > 0 && value < UINT32_MAX ? at + 1 : NULL;
}

bool subids_line(const char *line, const char *user, uint32_t uid, uint32_t *first, uint32_t *count)
{
    char digits[16];
    snprintf(digits, sizeof(digits), "%" PRIu32, uid);
    size_t length = strcspn(line, ":");
    const char *const names[] = {user, digits};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (length == 0 || strlen(names[i]) != length || memcmp(line, names[i], length) != 0 ||
            line[length] != ':')
            continue;
        const char *at = take_number(line + length + 1, ':', first);
        return at != NULL &&
               take_number(at, at[strspn(at, "0123456789")] == '\n' ? '\n' : '\0', count) != NULL &&
               (uint64_t)*first + *count <= UINT32_MAX;
    }
    return false;
}

/* The user's name in /etc/passwd; NULL: none. The caller frees it. Not by getpwuid(3), which loads
 * libraries, and a static program has none. A user outside this file can have ranges by number. */
static char *name_of(uid_t uid)
{
    FILE *file = fopen("/etc/passwd", "re");
    struct passwd line, *entry = NULL;
    char text[4096]; /* our own: the C library's is shared by all threads */
    while (file != NULL && fgetpwent_r(file, &line, text, sizeof(text), &entry) == 0 &&
           entry->pw_uid != uid)
        entry = NULL;
    char *name = entry != NULL ? strdup(entry->pw_name) : NULL;
    if (file != NULL)
        fclose(file);
    return name;
}

static int find_in(struct sb_uids *uids, const char *path, const char *user, uint32_t *first,
                   uint32_t *count)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;
    bool found = false;
    while (file != NULL && !found && getline(&line, &size, file) > 0)
        found = subids_line(line, user, geteuid(), first, count);
    free(line);
    if (file != NULL)
        fclose(file);
    if (found && *count >= FEWEST)
        return 0;
    if (found)
        snprintf(uids->reason, sizeof(uids->reason),
                 "the range of %s for this user is too small: %u; give at least %d", path, *count,
                 FEWEST);
    else
        snprintf(uids->reason, sizeof(uids->reason), "%s has no range for this user", path);
    return -1;
}

int subids_find(struct sb_uids *uids)
{
    uint32_t uid_count, gid_count;
    char *name = name_of(geteuid());
    const char *user = name != NULL ? name : "";
    int result = find_in(uids, "/etc/subuid", user, &uids->uid_first, &uid_count);
    if (result == 0)
        result = find_in(uids, "/etc/subgid", user, &uids->gid_first, &gid_count);
    free(name);
    if (result == 0)
        uids->count = uid_count < gid_count ? uid_count : gid_count;
    return result;
}
