/* The values of a seccomp profile, one at a time: from JSON, checked. */
#ifndef SECCOMP_VALUES_H
#define SECCOMP_VALUES_H

#include <json-c/json.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox.h"

/* Where the reader is, for messages. */
struct profile_reader {
    const char *file;
    char at[64]; /* "groups[3].calls[2]" */
    struct sb_error *err;
};

/* "FILE: PLACE: what is wrong". Returns −1. */
int profile_bad(struct profile_reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Sets the place. */
void profile_at(struct profile_reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The following return 0, or −1 with *r->err. */

/* All keys of an object are in the table of names, and those marked with '!' are present. */
int profile_keys(struct profile_reader *r, json_object *object, const char *const *keys,
                 size_t count);

/* The text of a key that explains something to people; so it must not be empty. */
int profile_sentence(struct profile_reader *r, json_object *value);

/* A list of up to `most` elements; `of` says what they are. */
int profile_list(struct profile_reader *r, json_object *value, size_t most, const char *of);

/* SECCOMP_RET_… with its data, or SECCOMP_IGNORE. */
int profile_action(struct profile_reader *r, json_object *value, uint32_t *action);

int profile_number(struct profile_reader *r, json_object *value, uint32_t *number);

/* One number, or an object of up to SECCOMP_MAX_VALUES names and numbers: {"TIOCSTI": "0x5412"}.
 * The names are for people. */
int profile_values(struct profile_reader *r, json_object *value, uint32_t *numbers, size_t *count);

#endif
