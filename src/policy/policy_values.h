/* The values of a policy, one at a time: from JSON into struct sb_policy, checked. */
#ifndef SB_POLICY_VALUES_H
#define SB_POLICY_VALUES_H

#include <json-c/json.h>

#include "policy/policy.h"

/* Where errors go, and the name of the file that they give. */
struct policy_reader {
    const char *file;
    struct sb_error *err;
};

/* "policy FILE: KEY: what is wrong". Returns −1. */
int bad_value(const struct policy_reader *reader, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int out_of_memory(const struct policy_reader *reader);

/* The C string in a value, or NULL with an error when the value is not one. Points into the value.
 */
const char *string_of(const struct policy_reader *reader, const char *key,
                      struct json_object *value);
int copy_string(char **copy, const struct policy_reader *reader, const char *key,
                struct json_object *value);

/* Sets the limits that the object names; `name` is its own key. */
int read_limits(struct sb_limits *limits, const struct policy_reader *reader, const char *name,
                struct json_object *object);
/* Sets the caps that no key named, and holds all against the limits. */
int complete_caps(struct sb_policy *policy, const struct policy_reader *reader);

int read_environment(struct sb_policy *policy, const struct policy_reader *reader,
                     struct json_object *object);
int default_environment(struct sb_policy *policy, const struct policy_reader *reader);

int read_mounts(struct sb_policy *policy, const struct policy_reader *reader,
                struct json_object *array);

int read_preload(struct sb_policy *policy, const struct policy_reader *reader,
                 struct json_object *array);
int default_preload(struct sb_policy *policy, const struct policy_reader *reader);
int read_missing(struct sb_policy *policy, const struct policy_reader *reader,
                 struct json_object *array);
/* Only warm starts have a process that can import modules in advance. */
int check_preload(const struct sb_policy *policy, const struct policy_reader *reader);

#endif
