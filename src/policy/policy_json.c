/* The JSON form of a policy, both ways: each key is a row of one table, by which policies are read
 * and printed. A missing key takes its default; an unknown key is an error. */
#include "policy/policy_json.h"

#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/json_file.h"
#include "common/json_writer.h"
#include "common/util.h"
#include "policy/limit.h"
#include "policy/missing.h"
#include "policy/policy_values.h"

enum kind { TEXT, LIMITS, ENVIRONMENT, MOUNTS, SWITCH, CHOICE, MODULES, MISSING };

struct policy_key {
    const char *name;
    enum kind kind;
    json_type type;
    size_t offset;       /* of the field in struct sb_policy */
    const char *text;    /* TEXT: the default */
    bool on;             /* SWITCH: the default */
    const char *word[3]; /* CHOICE: for 0 (false), which is the default, 1 (true) and 2 */
};

#define FIELD(name) .offset = offsetof(struct sb_policy, name)

static const struct policy_key keys[] = {
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
    {"figures", CHOICE, json_type_string, FIELD(figures), .word = {"png", "svg"}},
    {"enforcement", CHOICE, json_type_string, FIELD(best_effort),
     .word = {"strict", "best-effort"}},
    {"allow_missing", MISSING, json_type_array, FIELD(allow_missing)},
    {"start", CHOICE, json_type_string, FIELD(warm), .word = {"cold", "warm"}},
    {"preload", MODULES, json_type_array, FIELD(preload)},
};

static int read_choice(unsigned char *field, const struct policy_key *key,
                       const struct policy_reader *reader, struct json_object *value)
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

static int read_key(struct sb_policy *policy, const struct policy_key *key,
                    const struct policy_reader *reader, struct json_object *value)
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
    case MISSING:
        return read_missing(policy, reader, value);
    }
    return 0;
}

static int default_key(struct sb_policy *policy, const struct policy_key *key,
                       const struct policy_reader *reader)
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
    case MISSING:
        return 0; /* as they stand */
    }
    return 0;
}

static int refuse_unknown_keys(struct json_object *object, const struct policy_reader *reader)
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
    const struct policy_reader reader = {file, err};
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

/* The shortest number: 1, 0.25. */
static void put_cpus(struct json_writer *writer, int64_t thousandths)
{
    char text[32];
    int length = snprintf(text, sizeof(text), "%lld.%03lld", (long long)(thousandths / 1000),
                          (long long)(thousandths % 1000));
    while (text[length - 1] == '0')
        text[--length] = '\0';
    if (text[length - 1] == '.')
        text[length - 1] = '\0';
    json_verbatim(writer, text);
}

static void put_limits(struct json_writer *writer, const struct sb_limits *limits)
{
    json_bracket(writer, '{');
    for (size_t i = 0; i < SB_LIMITS; i++) {
        json_key(writer, sb_limit_info((enum sb_limit)i)->name);
        if (i == SB_MILLICPUS)
            put_cpus(writer, limits->value[i]);
        else
            json_integer(writer, limits->value[i]);
    }
    json_bracket(writer, '}');
}

static void put_environment(struct json_writer *writer, char *const *environment)
{
    json_bracket(writer, '{');
    for (; *environment != NULL; environment++) {
        size_t size = strcspn(*environment, "=");
        const char *value = *environment + size + 1;
        json_any_key(writer, *environment, size);
        json_string(writer, value, strlen(value));
    }
    json_bracket(writer, '}');
}

static void put_mounts(struct json_writer *writer, const struct sb_policy *policy)
{
    json_bracket(writer, '[');
    for (size_t i = 0; i < policy->mounts_count; i++) {
        json_item(writer);
        json_bracket(writer, '{');
        json_member(writer, "source", policy->mounts[i].source);
        json_member(writer, "target", policy->mounts[i].target);
        json_bracket(writer, '}');
    }
    json_bracket(writer, ']');
}

static void put_strings(struct json_writer *writer, char *const *strings)
{
    json_bracket(writer, '[');
    for (; *strings != NULL; strings++) {
        json_item(writer);
        json_string(writer, *strings, strlen(*strings));
    }
    json_bracket(writer, ']');
}

static void put_missing(struct json_writer *writer, unsigned missing)
{
    json_bracket(writer, '[');
    for (unsigned one = 1; one <= missing; one <<= 1)
        if (missing & one) {
            json_item(writer);
            json_string(writer, missing_name(one), strlen(missing_name(one)));
        }
    json_bracket(writer, ']');
}

static void put_key(struct json_writer *writer, const struct sb_policy *policy,
                    const struct policy_key *key)
{
    const void *field = (const char *)policy + key->offset;
    json_key(writer, key->name);
    switch (key->kind) {
    case TEXT:
        json_string(writer, *(char *const *)field, strlen(*(char *const *)field));
        break;
    case LIMITS:
        put_limits(writer, field);
        break;
    case ENVIRONMENT:
        put_environment(writer, policy->environment);
        break;
    case MOUNTS:
        put_mounts(writer, policy);
        break;
    case SWITCH:
        json_boolean(writer, *(const bool *)field);
        break;
    case CHOICE:
        json_string(writer, key->word[*(const unsigned char *)field],
                    strlen(key->word[*(const unsigned char *)field]));
        break;
    case MODULES:
        put_strings(writer, policy->preload);
        break;
    case MISSING:
        put_missing(writer, policy->allow_missing);
        break;
    }
}

char *sb_policy_json(const struct sb_policy *policy)
{
    if (policy == NULL)
        return NULL;
    struct json_writer writer;
    json_begin(&writer, 4096);
    writer.indented = true;
    json_bracket(&writer, '{');
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        put_key(&writer, policy, &keys[i]);
    json_bracket(&writer, '}');
    return json_end(&writer);
}
