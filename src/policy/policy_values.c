/* The values of a policy. Each reader checks all that can be known without the host, and says in
 * its errors which key is at fault and what is allowed. Nothing here opens a file. */
#include "policy/policy_values.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/json_file.h"
#include "common/util.h"
#include "policy/limit.h"
#include "policy/missing.h"

#define KEY_PATH_SIZE 64
#define PRELOAD_MOST 64
#define MODULE_NAME_MOST 200

static const char *const default_variables[] = {
    "PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/work", "LANG=C.UTF-8", "TMPDIR=/tmp",
    "PYTHONDONTWRITEBYTECODE=1",
};

/* Where the sandbox mounts its own, or the job writes. */
static const char *const reserved_targets[] = {"/proc", "/dev", "/tmp", "/work"};

int bad_value(const struct policy_reader *reader, const char *key, const char *format, ...)
{
    char what[400];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    return sb_fail_field(reader->err, "policy", key, "policy %s: %s: %s",
                         json_file_shown(reader->file), key, what);
}

int out_of_memory(const struct policy_reader *reader)
{
    return sb_fail(reader->err, "policy", ENOMEM, "policy %s", json_file_shown(reader->file));
}

static const char *key_path(char path[KEY_PATH_SIZE], const char *object, const char *key)
{
    snprintf(path, KEY_PATH_SIZE, "%s.%.30s", object, key);
    return path;
}

/* ── Strings ─────────────────────────────────────────────────────────────────────────────────── */

const char *string_of(const struct policy_reader *reader, const char *key,
                      struct json_object *value)
{
    if (!json_object_is_type(value, json_type_string)) {
        bad_value(reader, key, "must be a string, not %s", json_kind(value));
        return NULL;
    }
    const char *string = json_object_get_string(value);
    if (strlen(string) != (size_t)json_object_get_string_len(value)) {
        bad_value(reader, key, "must not hold a NUL character");
        return NULL;
    }
    return string;
}

int copy_string(char **copy, const struct policy_reader *reader, const char *key,
                struct json_object *value)
{
    const char *string = string_of(reader, key, value);
    if (string == NULL)
        return -1;
    *copy = strdup(string);
    return *copy != NULL ? 0 : out_of_memory(reader);
}

/* ── Limits and caps ─────────────────────────────────────────────────────────────────────────── */

static int read_limit(int64_t *limit, enum sb_limit which, const struct policy_reader *reader,
                      const char *key, struct json_object *value)
{
    const struct sb_limit_info *info = sb_limit_info(which);
    bool fractions = which == SB_MILLICPUS;
    char least[LIMIT_TEXT_SIZE], most[LIMIT_TEXT_SIZE];

    if (json_object_is_type(value, json_type_int)) {
        /* Numbers beyond 64 bits come as the largest or smallest: out of every range. */
        int64_t number = json_object_get_int64(value);
        if (fractions)
            number = number > info->max || number < 0 ? info->max + 1 : number * 1000;
        *limit = number;
    } else if (fractions && json_object_is_type(value, json_type_double)) {
        double thousandths = json_object_get_double(value) * 1000;
        bool fits = thousandths >= 0 && thousandths <= (double)info->max; /* false for NaN */
        *limit = fits ? llround(thousandths) : info->max + 1;
    } else {
        return bad_value(reader, key, "must be %s, not %s", fractions ? "a number" : "an integer",
                         json_kind(value));
    }
    if (*limit >= info->min && *limit <= info->max)
        return 0;
    limit_text(least, which, info->min);
    limit_text(most, which, info->max);
    if (strcmp(info->unit, "ms") != 0 && strcmp(info->unit, "bytes") != 0)
        return bad_value(reader, key, "must be from %s to %s", least, most);
    return bad_value(reader, key, "must be from %lld to %lld (%s to %s)", (long long)info->min,
                     (long long)info->max, least, most);
}

int read_limits(struct sb_limits *limits, const struct policy_reader *reader, const char *name,
                struct json_object *object)
{
    json_object_object_foreach(object, key, value)
    {
        char path[KEY_PATH_SIZE], names[LIMIT_NAMES_SIZE];
        key_path(path, name, key);
        int which = limit_from_name(key);
        if (which < 0)
            return bad_value(reader, path, "there is no such limit: use %s", limit_names(names));
        if (read_limit(&limits->value[which], (enum sb_limit)which, reader, path, value) < 0)
            return -1;
    }
    return 0;
}

/* A cap that is not stated is the limit itself; one below it could never be kept. */
int complete_caps(struct sb_policy *policy, const struct policy_reader *reader)
{
    for (size_t i = 0; i < SB_LIMITS; i++) {
        int64_t limit = policy->limits.value[i], *cap = &policy->caps.value[i];
        if (*cap == SB_UNSET)
            *cap = limit;
        if (*cap >= limit)
            continue;
        char path[KEY_PATH_SIZE], text[LIMIT_TEXT_SIZE];
        const char *name = sb_limit_info((enum sb_limit)i)->name;
        return bad_value(reader, key_path(path, "caps", name),
                         "must not be below limits.%s, which is %s", name,
                         limit_text(text, (enum sb_limit)i, limit));
    }
    return 0;
}

/* ── Environment ─────────────────────────────────────────────────────────────────────────────── */

int default_environment(struct sb_policy *policy, const struct policy_reader *reader)
{
    policy->environment = calloc(ARRAY_LEN(default_variables) + 1, sizeof(char *));
    if (policy->environment == NULL)
        return out_of_memory(reader);
    for (size_t i = 0; i < ARRAY_LEN(default_variables); i++)
        if ((policy->environment[i] = strdup(default_variables[i])) == NULL)
            return out_of_memory(reader);
    return 0;
}

int read_environment(struct sb_policy *policy, const struct policy_reader *reader,
                     struct json_object *object)
{
    size_t count = 0;
    policy->environment =
        calloc((size_t)json_object_object_length(object) + 1, sizeof(*policy->environment));
    if (policy->environment == NULL)
        return out_of_memory(reader);
    json_object_object_foreach(object, key, value)
    {
        char path[KEY_PATH_SIZE];
        key_path(path, "environment", key);
        if (key[0] == '\0' || strchr(key, '=') != NULL)
            return bad_value(reader, path, "a variable's name must not be empty or hold \"=\"");
        const char *string = string_of(reader, path, value);
        if (string == NULL)
            return -1;
        if (asprintf(&policy->environment[count], "%s=%s", key, string) < 0) {
            policy->environment[count] = NULL; /* asprintf leaves it undefined */
            return out_of_memory(reader);
        }
        count++;
    }
    return 0;
}

/* ── Mounts ──────────────────────────────────────────────────────────────────────────────────── */

/* No empty part, "." or "..", no slash at the end: two paths are the same when they read the same.
 */
static bool is_normalised(const char *path)
{
    if (path[0] != '/')
        return false;
    while (*path == '/') {
        size_t part = strcspn(++path, "/");
        if (part == 0 || (part == 1 && path[0] == '.') ||
            (part == 2 && path[0] == '.' && path[1] == '.'))
            return false;
        path += part;
    }
    return true;
}

static bool is_at_or_below(const char *path, const char *directory)
{
    size_t length = strlen(directory);
    return strncmp(path, directory, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

static int check_mount(const struct sb_policy *policy, const struct policy_mount *mount,
                       const struct policy_reader *reader, const char *at)
{
    char key[KEY_PATH_SIZE];
    if (mount->source == NULL || mount->target == NULL)
        return bad_value(reader, at, "must have both \"source\" and \"target\"");
    if (mount->source[0] != '/')
        return bad_value(reader, key_path(key, at, "source"), "must be an absolute path");
    key_path(key, at, "target");
    if (!is_normalised(mount->target))
        return bad_value(reader, key,
                         "must be an absolute path other than /, without \"..\", "
                         "\".\", \"//\" or a slash at its end");
    for (size_t i = 0; i < ARRAY_LEN(reserved_targets); i++)
        if (is_at_or_below(mount->target, reserved_targets[i]))
            return bad_value(reader, key, "must not be %s or below it: the sandbox has its own",
                             reserved_targets[i]);
    for (const struct policy_mount *other = policy->mounts; other != mount; other++)
        if (strcmp(other->target, mount->target) == 0)
            return bad_value(reader, key, "another mount has this target already");
    return 0;
}

static int read_mount(struct sb_policy *policy, const struct policy_reader *reader, size_t index,
                      struct json_object *object)
{
    struct policy_mount *mount = &policy->mounts[index];
    char at[32], path[KEY_PATH_SIZE];
    snprintf(at, sizeof(at), "mounts[%zu]", index);
    if (!json_object_is_type(object, json_type_object))
        return bad_value(reader, at, "must be an object, not %s", json_kind(object));
    json_object_object_foreach(object, key, value)
    {
        key_path(path, at, key);
        char **field = strcmp(key, "source") == 0   ? &mount->source
                       : strcmp(key, "target") == 0 ? &mount->target
                                                    : NULL;
        if (field == NULL)
            return bad_value(reader, path, "there is no such key: use source, target");
        if (copy_string(field, reader, path, value) < 0)
            return -1;
    }
    return check_mount(policy, mount, reader, at);
}

int read_mounts(struct sb_policy *policy, const struct policy_reader *reader,
                struct json_object *array)
{
    size_t count = json_object_array_length(array);
    policy->mounts = calloc(count + 1, sizeof(*policy->mounts));
    if (policy->mounts == NULL)
        return out_of_memory(reader);
    policy->mounts_count = count;
    for (size_t i = 0; i < count; i++)
        if (read_mount(policy, reader, i, json_object_array_get_idx(array, i)) < 0)
            return -1;
    return 0;
}

/* ── Modules ─────────────────────────────────────────────────────────────────────────────────── */

/* Identifiers with dots between them. Only ASCII: Python allows other letters, but no installable
 * module has them, and look-alike names could hide another module. */
static bool is_module_name(const char *name)
{
    for (bool first = true;; name++) {
        bool letter = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z');
        if (letter || *name == '_' || (!first && *name >= '0' && *name <= '9'))
            first = false;
        else if (!first && *name == '.')
            first = true;
        else
            return !first && *name == '\0';
    }
}

static int read_module(struct sb_policy *policy, const struct policy_reader *reader, size_t index,
                       struct json_object *value)
{
    char at[32];
    snprintf(at, sizeof(at), "preload[%zu]", index);
    if (copy_string(&policy->preload[index], reader, at, value) < 0)
        return -1;
    const char *name = policy->preload[index];
    if (strlen(name) > MODULE_NAME_MOST || !is_module_name(name))
        return bad_value(reader, at,
                         "must be the name of a module, such as \"numpy\" or \"pandas.core\", of "
                         "at most %d characters",
                         MODULE_NAME_MOST);
    for (size_t i = 0; i < index; i++)
        if (strcmp(policy->preload[i], name) == 0)
            return bad_value(reader, at, "\"%.64s\" is in the list twice: remove one", name);
    return 0;
}

int read_preload(struct sb_policy *policy, const struct policy_reader *reader,
                 struct json_object *array)
{
    size_t count = json_object_array_length(array);
    if (count > PRELOAD_MOST)
        return bad_value(reader, "preload", "must have at most %d modules, not %zu", PRELOAD_MOST,
                         count);
    policy->preload = calloc(count + 1, sizeof(*policy->preload));
    if (policy->preload == NULL)
        return out_of_memory(reader);
    for (size_t i = 0; i < count; i++)
        if (read_module(policy, reader, i, json_object_array_get_idx(array, i)) < 0)
            return -1;
    return 0;
}

int default_preload(struct sb_policy *policy, const struct policy_reader *reader)
{
    policy->preload = calloc(1, sizeof(*policy->preload));
    return policy->preload != NULL ? 0 : out_of_memory(reader);
}

int check_preload(const struct sb_policy *policy, const struct policy_reader *reader)
{
    if (policy->warm || policy->preload[0] == NULL)
        return 0;
    return bad_value(reader, "preload",
                     "needs \"start\": \"warm\": a cold start can't import modules in advance");
}

int read_missing(struct sb_policy *policy, const struct policy_reader *reader,
                 struct json_object *array)
{
    char at[48], names[MISSING_NAMES_SIZE];
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        snprintf(at, sizeof(at), "allow_missing[%zu]", i);
        const char *name = string_of(reader, at, json_object_array_get_idx(array, i));
        unsigned missing = name != NULL ? missing_of_name(name, strlen(name)) : 0;
        if (name == NULL)
            return -1;
        if (missing == 0)
            return bad_value(reader, at, "must be one of %s, not \"%.40s\"", missing_names(names),
                             name);
        policy->allow_missing |= missing;
    }
    return 0;
}
