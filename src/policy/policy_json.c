/* The JSON form of a policy, both ways: each key is a row of one table, by which policies are read
 * and printed. A key that is not there takes its default; one that is not understood is an error,
 * never passed over. */
#include "policy/policy_json.h"

#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/json_file.h"
#include "common/util.h"
#include "policy/limit.h"
#include "policy/policy_values.h"

enum kind { TEXT, LIMITS, ENVIRONMENT, MOUNTS, SWITCH, CHOICE, MODULES };

struct key {
    const char *name;
    enum kind kind;
    json_type type;
    size_t offset;       /* of the field in struct sb_policy */
    const char *text;    /* TEXT: the default */
    bool on;             /* SWITCH: the default */
    const char *word[3]; /* CHOICE: for 0 (false), which is the default, 1 (true) and 2 */
};

#define FIELD(name) .offset = offsetof(struct sb_policy, name)

static const struct key keys[] = {
    {"description", TEXT, json_type_string, FIELD(description), .text = ""},
    {"limits", LIMITS, json_type_object, FIELD(limits)},
    {"caps", LIMITS, json_type_object, FIELD(caps)},
    {"environment", ENVIRONMENT, json_type_object, FIELD(environment)},
    {"mounts", MOUNTS, json_type_array, FIELD(mounts)},
    {"seccomp", TEXT, json_type_string, FIELD(seccomp), .text = "default"},
    {"report_denied", SWITCH, json_type_boolean, FIELD(report_denied), .on = false},
    {"writable", SWITCH, json_type_boolean, FIELD(writable), .on = true},
    {"loopback", SWITCH, json_type_boolean, FIELD(loopback), .on = false},
    {"proc", CHOICE, json_type_string, FIELD(proc_masked), .word = {"subset", "masked"}},
    {"output", CHOICE, json_type_string, FIELD(output_kills), .word = {"truncate", "kill"}},
    {"output_buffering", CHOICE, json_type_string, FIELD(output_buffering),
     .word = {"line", "block", "none"}},
    {"enforcement", CHOICE, json_type_string, FIELD(best_effort),
     .word = {"strict", "best-effort"}},
    {"start", CHOICE, json_type_string, FIELD(warm), .word = {"cold", "warm"}},
    {"preload", MODULES, json_type_array, FIELD(preload)},
};

static int read_choice(unsigned char *field, const struct key *key, const struct reader *reader,
                       struct json_object *value)
{
    const char *word = string_of(reader, key->name, value);
    if (word == NULL)
        return -1;
    for (unsigned char i = 0; i < ARRAY_LEN(key->word) && key->word[i] != NULL; i++)
        if (strcmp(word, key->word[i]) == 0) {
            *field = i;
            return 0;
        }
    if (key->word[2] == NULL)
        return bad_value(reader, key->name, "must be \"%s\" or \"%s\", not \"%.64s\"", key->word[0],
                         key->word[1], word);
    return bad_value(reader, key->name, "must be \"%s\", \"%s\" or \"%s\", not \"%.64s\"",
                     key->word[0], key->word[1], key->word[2], word);
}

static int read_key(struct sb_policy *policy, const struct key *key, const struct reader *reader,
                    struct json_object *value)
{
    void *field = (char *)policy + key->offset;
    if (!json_object_is_type(value, key->type))
        return bad_value(reader, key->name, "must be %s, not %s",
                         key->type == json_type_string    ? "a string"
                         : key->type == json_type_boolean ? "true or false"
                         : key->type == json_type_array   ? "an array"
                                                          : "an object",
                         json_kind(value));
    switch (key->kind) {
    case TEXT:
        return copy_string(field, reader, key->name, value);
    case LIMITS:
        return read_limits(field, reader, key->name, value);
    case ENVIRONMENT:
        return read_environment(policy, reader, value);
    case MOUNTS:
        return read_mounts(policy, reader, value);
    case SWITCH:
        *(bool *)field = json_object_get_boolean(value);
        return 0;
    case CHOICE:
        return read_choice(field, key, reader, value);
    case MODULES:
        return read_preload(policy, reader, value);
    }
    return 0;
}

static int default_key(struct sb_policy *policy, const struct key *key, const struct reader *reader)
{
    void *field = (char *)policy + key->offset;
    switch (key->kind) {
    case TEXT:
        *(char **)field = strdup(key->text);
        return *(char **)field != NULL ? 0 : out_of_memory(reader);
    case ENVIRONMENT:
        return default_environment(policy, reader);
    case SWITCH:
        *(bool *)field = key->on;
        return 0;
    case MODULES:
        return default_preload(policy, reader);
    case LIMITS:
    case MOUNTS:
    case CHOICE:
        return 0; /* as they stand */
    }
    return 0;
}

static int refuse_unknown_keys(struct json_object *object, const struct reader *reader)
{
    json_object_object_foreach(object, name, value)
    {
        (void)value;
        size_t i = 0;
        while (i < ARRAY_LEN(keys) && strcmp(keys[i].name, name) != 0)
            i++;
        if (i < ARRAY_LEN(keys))
            continue;
        char names[256], shown[48];
        size_t length = 0;
        for (i = 0; i < ARRAY_LEN(keys) && length < sizeof(names); i++)
            length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s",
                                       i == 0 ? "" : ", ", keys[i].name);
        snprintf(shown, sizeof(shown), "%.40s", name);
        return bad_value(reader, shown, "there is no such key: use %s", names);
    }
    return 0;
}

int policy_from_json(struct sb_policy *policy, struct json_object *object, const char *file,
                     struct sb_error *err)
{
    const struct reader reader = {file, err};
    if (refuse_unknown_keys(object, &reader) < 0)
        return -1;
    for (size_t i = 0; i < SB_LIMITS; i++) {
        policy->limits.value[i] = limit_default((enum sb_limit)i);
        policy->caps.value[i] = SB_UNSET;
    }
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct json_object *value;
        int result = json_object_object_get_ex(object, keys[i].name, &value)
                         ? read_key(policy, &keys[i], &reader, value)
                         : default_key(policy, &keys[i], &reader);
        if (result < 0)
            return -1;
    }
    if (check_preload(policy, &reader) < 0)
        return -1;
    return complete_caps(policy, &reader);
}

/* ── Printing ────────────────────────────────────────────────────────────────────────────────── */

/* What could not be made is NULL; adding it then fails, too. */
static bool add(struct json_object *object, const char *key, struct json_object *value)
{
    if (object != NULL && value != NULL && json_object_object_add(object, key, value) == 0)
        return true;
    json_object_put(value);
    return false;
}

/* Thousandths as the shortest number: json-c's own "%.17g" makes 0.10000000000000001 of 0.1. */
static struct json_object *cpus_number(int64_t thousandths)
{
    char text[32];
    if (thousandths % 1000 == 0)
        return json_object_new_int64(thousandths / 1000);
    int length = snprintf(text, sizeof(text), "%lld.%03lld", (long long)(thousandths / 1000),
                          (long long)(thousandths % 1000));
    while (text[length - 1] == '0')
        text[--length] = '\0';
    return json_object_new_double_s((double)thousandths / 1000, text);
}

static struct json_object *limits_object(const struct sb_limits *limits)
{
    struct json_object *object = json_object_new_object();
    for (size_t i = 0; i < SB_LIMITS; i++) {
        struct json_object *number = i == SB_MILLICPUS ? cpus_number(limits->value[i])
                                                       : json_object_new_int64(limits->value[i]);
        if (!add(object, sb_limit_info((enum sb_limit)i)->name, number)) {
            json_object_put(object);
            return NULL;
        }
    }
    return object;
}

static struct json_object *environment_object(char *const *environment)
{
    struct json_object *object = json_object_new_object();
    for (size_t i = 0; environment[i] != NULL; i++) {
        const char *equals = strchr(environment[i], '=');
        _cleanup_free_ char *name = strndup(environment[i], (size_t)(equals - environment[i]));
        if (name == NULL || !add(object, name, json_object_new_string(equals + 1))) {
            json_object_put(object);
            return NULL;
        }
    }
    return object;
}

static struct json_object *mounts_array(const struct sb_policy *policy)
{
    struct json_object *array = json_object_new_array();
    for (size_t i = 0; i < policy->mounts_count; i++) {
        struct json_object *mount = json_object_new_object();
        if (!add(mount, "source", json_object_new_string(policy->mounts[i].source)) ||
            !add(mount, "target", json_object_new_string(policy->mounts[i].target)) ||
            array == NULL || json_object_array_add(array, mount) < 0) {
            json_object_put(mount);
            json_object_put(array);
            return NULL;
        }
    }
    return array;
}

static struct json_object *strings_array(char *const *strings)
{
    struct json_object *array = json_object_new_array();
    for (size_t i = 0; strings[i] != NULL; i++) {
        struct json_object *string = json_object_new_string(strings[i]);
        if (string == NULL || array == NULL || json_object_array_add(array, string) < 0) {
            json_object_put(string);
            json_object_put(array);
            return NULL;
        }
    }
    return array;
}

static struct json_object *key_value(const struct sb_policy *policy, const struct key *key)
{
    const void *field = (const char *)policy + key->offset;
    switch (key->kind) {
    case TEXT:
        return json_object_new_string(*(char *const *)field);
    case LIMITS:
        return limits_object(field);
    case ENVIRONMENT:
        return environment_object(policy->environment);
    case MOUNTS:
        return mounts_array(policy);
    case SWITCH:
        return json_object_new_boolean(*(const bool *)field);
    case CHOICE:
        return json_object_new_string(key->word[*(const unsigned char *)field]);
    case MODULES:
        return strings_array(policy->preload);
    }
    return NULL;
}

char *sb_policy_json(const struct sb_policy *policy)
{
    char *text = NULL;
    if (policy == NULL)
        return NULL;
    struct json_object *object = json_object_new_object();
    bool complete = object != NULL;
    for (size_t i = 0; i < ARRAY_LEN(keys) && complete; i++)
        complete = add(object, keys[i].name, key_value(policy, &keys[i]));
    if (complete) {
        const char *printed = json_object_to_json_string_ext(
            object,
            JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE);
        text = printed != NULL ? strdup(printed) : NULL;
    }
    json_object_put(object);
    return text;
}
