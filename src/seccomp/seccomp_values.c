/* See seccomp_values.h. */
#include "seccomp/seccomp_values.h"

#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/util.h"
#include "seccomp/seccomp_profile.h"

#define MAX_ERRNO 4095 /* the kernel cuts larger ones to this */

int profile_bad(struct profile_reader *r, const char *format, ...)
{
    char text[384];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return sb_fail_field(r->err, "seccomp", r->at, "%s: %s%s%s", r->file, r->at,
                         r->at[0] != '\0' ? ": " : "", text);
}

void profile_at(struct profile_reader *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(r->at, sizeof(r->at), format, args);
    va_end(args);
}

int profile_keys(struct profile_reader *r, json_object *object, const char *const *keys,
                 size_t count)
{
    char allowed[128] = "";
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(allowed);
        snprintf(allowed + used, sizeof(allowed) - used, "%s%s", i > 0 ? ", " : "",
                 keys[i] + (keys[i][0] == '!'));
    }
    if (!json_object_is_type(object, json_type_object))
        return profile_bad(r, "must be an object with the keys %s", allowed);
    json_object_object_foreach(object, key, value)
    {
        (void)value;
        size_t i = 0;
        while (i < count && strcmp(keys[i] + (keys[i][0] == '!'), key) != 0)
            i++;
        if (i == count)
            return profile_bad(r, "unknown key \"%.64s\"; allowed are %s", key, allowed);
    }
    for (size_t i = 0; i < count; i++)
        if (keys[i][0] == '!' && !json_object_object_get_ex(object, keys[i] + 1, NULL))
            return profile_bad(r, "the key \"%s\" is missing", keys[i] + 1);
    return 0;
}

int profile_sentence(struct profile_reader *r, json_object *value)
{
    if (!json_object_is_type(value, json_type_string) || json_object_get_string_len(value) == 0)
        return profile_bad(r, "must be a sentence for the people who read this file");
    return 0;
}

int profile_list(struct profile_reader *r, json_object *value, size_t most, const char *of)
{
    size_t length =
        json_object_is_type(value, json_type_array) ? json_object_array_length(value) : 0;
    if (length == 0 || length > most)
        return profile_bad(r, "must be a list of 1 to %zu %s", most, of);
    return 0;
}

int profile_action(struct profile_reader *r, json_object *value, uint32_t *action)
{
    static const struct {
        const char *name;
        uint32_t action;
    } words[] = {
        {"allow", SECCOMP_RET_ALLOW},
        {"ignore", SECCOMP_IGNORE},
        {"kill", SECCOMP_RET_KILL_PROCESS},
    };
    const char *name =
        json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(name, words[i].name) == 0) {
            *action = words[i].action;
            return 0;
        }
    for (int number = 1; name[0] == 'E' && number <= MAX_ERRNO; number++) {
        const char *known = strerrorname_np(number);
        if (known != NULL && strcmp(known, name) == 0) {
            *action = SECCOMP_RET_ERRNO | (uint32_t)number;
            return 0;
        }
    }
    return profile_bad(
        r,
        "\"%.64s\" is not an action; allowed are \"allow\", \"ignore\", \"kill\" and the names "
        "of errno values such as \"EPERM\"",
        name);
}

int profile_number(struct profile_reader *r, json_object *value, uint32_t *number)
{
    if (json_object_is_type(value, json_type_int)) {
        int64_t n = json_object_get_int64(value);
        if (n >= 0 && n <= UINT32_MAX) {
            *number = (uint32_t)n;
            return 0;
        }
    } else if (json_object_is_type(value, json_type_string)) {
        const char *text = json_object_get_string(value);
        size_t digits =
            strncmp(text, "0x", 2) == 0 ? strspn(text + 2, "0123456789abcdefABCDEF") : 0;
        if (digits >= 1 && digits <= 8 && text[2 + digits] == '\0') {
            *number = (uint32_t)strtoul(text + 2, NULL, 16);
            return 0;
        }
    }
    return profile_bad(
        r, "must be a number from 0 to 4294967295, or \"0x\" and 1 to 8 hexadecimal digits; "
           "the kernel reads 32 bits of these arguments, and so does the filter");
}

int profile_values(struct profile_reader *r, json_object *value, uint32_t *numbers, size_t *count)
{
    *count = 0;
    if (!json_object_is_type(value, json_type_object)) {
        *count = 1;
        return profile_number(r, value, numbers);
    }
    if (json_object_object_length(value) < 1 ||
        json_object_object_length(value) > SECCOMP_MAX_VALUES)
        return profile_bad(r, "must be a number or an object of 1 to %d names and numbers",
                           SECCOMP_MAX_VALUES);
    char parent[sizeof(r->at)];
    memcpy(parent, r->at, sizeof(parent));
    json_object_object_foreach(value, name, number)
    {
        profile_at(r, "%.40s.%.20s", parent, name);
        if (profile_number(r, number, &numbers[(*count)++]) < 0)
            return -1;
    }
    memcpy(r->at, parent, sizeof(parent));
    return 0;
}
