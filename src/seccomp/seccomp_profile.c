/* Reads a seccomp profile from JSON, for one architecture. Names of calls are libseccomp's.
 *
 * A profile guards the kernel: nothing in it is guessed, skipped or corrected. The one exception
 * are calls that exist on other architectures only. Each error names the file, the place
 * ("groups[3].calls[2]") and what is allowed there. */
#include "seccomp/seccomp_profile.h"

#include <inttypes.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/json_file.h"
#include "common/util.h"
#include "seccomp/seccomp_values.h"

enum {
    FIRST_COMMON_NR = 424, /* pidfd_send_signal */
};

static const struct {
    const char *name;
    uint32_t arch;
} architectures[] = {
    {"x86_64", AUDIT_ARCH_X86_64},
    {"aarch64", AUDIT_ARCH_AARCH64},
};

static void put_json(json_object **object)
{
    json_object_put(*object);
}

uint32_t seccomp_arch(const char *name)
{
    if (name == NULL) {
#if defined(__x86_64__)
        return AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
        return AUDIT_ARCH_AARCH64;
#else
#error "seccomp profiles are written and tested for x86-64 and aarch64"
#endif
    }
    for (size_t i = 0; i < ARRAY_LEN(architectures); i++)
        if (strcmp(name, architectures[i].name) == 0)
            return architectures[i].arch;
    return 0;
}

static int read_condition(struct profile_reader *r, json_object *object,
                          struct seccomp_condition *condition)
{
    static const char *const keys[] = {"!arg", "half", "mask", "!equals"};
    char parent[sizeof(r->at)];
    memcpy(parent, r->at, sizeof(parent));
    if (profile_keys(r, object, keys, ARRAY_LEN(keys)) < 0)
        return -1;

    profile_at(r, "%.50s.arg", parent);
    json_object *arg = json_object_object_get(object, "arg");
    if (profile_number(r, arg, &condition->arg) < 0)
        return -1;
    if (condition->arg >= SECCOMP_MAX_CONDITIONS)
        return profile_bad(r, "must be 0 to 5: a system call has six arguments");

    condition->high = false;
    json_object *half = NULL;
    if (json_object_object_get_ex(object, "half", &half)) {
        profile_at(r, "%.50s.half", parent);
        if (!json_object_is_type(half, json_type_string) ||
            strcmp(json_object_get_string(half), "high") != 0)
            return profile_bad(
                r, "must be \"high\"; without it the low 32 bits of the argument count");
        condition->high = true;
    }

    condition->mask = UINT32_MAX;
    json_object *mask = NULL;
    if (json_object_object_get_ex(object, "mask", &mask)) {
        profile_at(r, "%.50s.mask", parent);
        uint32_t bits[SECCOMP_MAX_VALUES];
        size_t count;
        if (profile_values(r, mask, bits, &count) < 0)
            return -1;
        condition->mask = 0;
        for (size_t i = 0; i < count; i++)
            condition->mask |= bits[i];
        if (condition->mask == 0)
            return profile_bad(r, "must have at least one bit set");
    }

    profile_at(r, "%.50s.equals", parent);
    json_object *equals = json_object_object_get(object, "equals");
    if (profile_values(r, equals, condition->equals, &condition->equals_count) < 0)
        return -1;
    for (size_t i = 0; i < condition->equals_count; i++)
        if ((condition->equals[i] & ~condition->mask) != 0)
            return profile_bad(r,
                               "0x%" PRIx32 " can never be equal: the mask 0x%" PRIx32
                               " lacks some of its bits",
                               condition->equals[i], condition->mask);
    return 0;
}

/* The names that values have in reports. */
static int read_names(struct profile_reader *r, json_object *object, size_t index,
                      struct seccomp_report *report)
{
    size_t count = json_object_is_type(object, json_type_object)
                       ? (size_t)json_object_object_length(object)
                       : 0;
    if (count < 1 || count > SECCOMP_MAX_VALUES)
        return profile_bad(r, "must be an object of 1 to %d names and numbers", SECCOMP_MAX_VALUES);
    report->names = calloc(count, sizeof(*report->names));
    if (report->names == NULL)
        return profile_bad(r, "cannot be read: out of memory");
    json_object_object_foreach(object, text, number)
    {
        struct seccomp_name *name = &report->names[report->names_count++];
        profile_at(r, "groups[%zu].report.%.40s", index, text);
        size_t length = strlen(text);
        if (length == 0 || length >= sizeof(name->text) ||
            strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != length)
            return profile_bad(r, "a name is 1 to %d capital letters, digits and \"_\"",
                               SECCOMP_NAME_SIZE - 1);
        memcpy(name->text, text, length + 1);
        if (profile_number(r, number, &name->value) < 0)
            return -1;
        if (report->flags && name->value == 0)
            return profile_bad(r, "must have at least one bit set");
    }
    return 0;
}

/* true, or the argument that says more than the call's name. */
static int read_report(struct profile_reader *r, json_object *value, size_t index,
                       struct seccomp_group *group)
{
    static const char *const keys[] = {"!arg", "names", "flags"};
    struct seccomp_report *report = &group->report;
    json_object *names = NULL, *flags = NULL;
    profile_at(r, "groups[%zu].report", index);
    if ((group->action & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_ERRNO ||
        group->action == SECCOMP_IGNORE)
        return profile_bad(r, "only calls that are refused with an errno are reported");
    report->on = true;
    if (json_object_is_type(value, json_type_boolean) && json_object_get_boolean(value))
        return 0;
    if (profile_keys(r, value, keys, ARRAY_LEN(keys)) < 0)
        return -1;
    bool named = json_object_object_get_ex(value, "names", &names);
    report->flags = json_object_object_get_ex(value, "flags", &flags);
    if (named == report->flags)
        return profile_bad(r, "must have either \"names\" or \"flags\"");
    profile_at(r, "groups[%zu].report.arg", index);
    if (profile_number(r, json_object_object_get(value, "arg"), &report->arg) < 0)
        return -1;
    if (report->arg >= SECCOMP_MAX_CONDITIONS)
        return profile_bad(r, "must be 0 to 5: a system call has six arguments");
    profile_at(r, "groups[%zu].report.%s", index, named ? "names" : "flags");
    return read_names(r, named ? names : flags, index, report);
}

static int read_conditions(struct profile_reader *r, json_object *list, size_t index,
                           struct seccomp_group *group)
{
    profile_at(r, "groups[%zu].when", index);
    if (profile_list(r, list, SECCOMP_MAX_CONDITIONS, "conditions that must all hold") < 0)
        return -1;
    group->when_count = json_object_array_length(list);
    for (size_t i = 0; i < group->when_count; i++) {
        profile_at(r, "groups[%zu].when[%zu]", index, i);
        if (read_condition(r, json_object_array_get_idx(list, i), &group->when[i]) < 0)
            return -1;
    }
    return 0;
}

/* "name", or "name=number" for calls that libseccomp may be too old to know. Since 5.1 a call has
 * the same number on all architectures. −1: not a call of this one; −2: an error. */
static int resolve(struct profile_reader *r, const char *text, uint32_t arch)
{
    const char *equals = strchr(text, '=');
    size_t length = equals != NULL ? (size_t)(equals - text) : strlen(text);
    char name[64];
    snprintf(name, sizeof(name), "%.*s", (int)length, text);
    int nr =
        length < sizeof(name) ? seccomp_syscall_resolve_name_arch(arch, name) : __NR_SCMP_ERROR;
    if (equals == NULL && nr == __NR_SCMP_ERROR) {
        profile_bad(
            r,
            "\"%.63s\" is not a system call that libseccomp %u.%u.%u knows: correct the name, or "
            "give its number for a new one, as in \"mseal=462\"",
            name, seccomp_version()->major, seccomp_version()->minor, seccomp_version()->micro);
        return -2;
    }
    if (equals == NULL)
        return nr >= 0 ? nr : -1;

    size_t digits = strspn(equals + 1, "0123456789");
    int number = digits == 3 && equals[4] == '\0' ? (int)strtol(equals + 1, NULL, 10) : 0;
    if (number < FIRST_COMMON_NR || (nr != __NR_SCMP_ERROR && nr != number)) {
        if (nr >= 0)
            profile_bad(r, "\"%.80s\": the number of %s is %d", text, name, nr);
        else
            profile_bad(r,
                        "\"%.80s\": numbers from %d to 999 can be given, which are the same on all "
                        "architectures",
                        text, FIRST_COMMON_NR);
        return -2;
    }
    return number;
}

static int add_rule(struct profile_reader *r, struct seccomp_profile *profile, const char *name,
                    size_t group)
{
    int nr = resolve(r, name, profile->arch);
    if (nr < 0)
        return nr == -1 ? 0 : -1;
    for (size_t i = 0; i < profile->rules_count; i++) {
        const struct seccomp_rule *rule = &profile->rules[i];
        if (rule->nr != (uint32_t)nr)
            continue;
        if (rule->group == group)
            return profile_bad(r, "\"%.80s\" is in this group twice: remove one", name);
        if (profile->groups[rule->group].when_count == 0)
            return profile_bad(
                r,
                "\"%.80s\" is never reached, groups[%zu] decides it without a condition: "
                "remove it there or here",
                name, rule->group);
    }
    struct seccomp_rule *rule = &profile->rules[profile->rules_count++];
    *rule = (struct seccomp_rule){.nr = (uint32_t)nr, .group = group};
    snprintf(rule->name, sizeof(rule->name), "%.*s", (int)strcspn(name, "="), name);
    return 0;
}

static int read_calls(struct profile_reader *r, json_object *list, size_t index,
                      struct seccomp_profile *profile)
{
    profile_at(r, "groups[%zu].calls", index);
    if (profile_list(r, list, 1000, "names of system calls") < 0)
        return -1;
    size_t count = json_object_array_length(list);
    void *rules =
        reallocarray(profile->rules, profile->rules_count + count, sizeof(*profile->rules));
    if (rules == NULL)
        return profile_bad(r, "cannot be read: out of memory");
    profile->rules = rules;
    for (size_t i = 0; i < count; i++) {
        profile_at(r, "groups[%zu].calls[%zu]", index, i);
        json_object *name = json_object_array_get_idx(list, i);
        if (!json_object_is_type(name, json_type_string))
            return profile_bad(r, "must be the name of a system call");
        if (add_rule(r, profile, json_object_get_string(name), index) < 0)
            return -1;
    }
    return 0;
}

static int read_group(struct profile_reader *r, json_object *object, size_t index,
                      struct seccomp_profile *profile)
{
    static const char *const keys[] = {"!why", "!action", "!calls", "when", "report"};
    struct seccomp_group *group = &profile->groups[index];
    profile_at(r, "groups[%zu]", index);
    if (profile_keys(r, object, keys, ARRAY_LEN(keys)) < 0)
        return -1;
    profile_at(r, "groups[%zu].why", index);
    if (profile_sentence(r, json_object_object_get(object, "why")) < 0)
        return -1;
    profile_at(r, "groups[%zu].action", index);
    if (profile_action(r, json_object_object_get(object, "action"), &group->action) < 0)
        return -1;
    json_object *when = NULL, *report = NULL;
    if (json_object_object_get_ex(object, "when", &when) &&
        read_conditions(r, when, index, group) < 0)
        return -1;
    if (json_object_object_get_ex(object, "report", &report) &&
        read_report(r, report, index, group) < 0)
        return -1;
    return read_calls(r, json_object_object_get(object, "calls"), index, profile);
}

/* The profile must have been written for the architecture: numbers and argument orders differ. */
static int check_architectures(struct profile_reader *r, json_object *list, uint32_t arch)
{
    profile_at(r, "architectures");
    if (profile_list(r, list, ARRAY_LEN(architectures), "of \"x86_64\" and \"aarch64\"") < 0)
        return -1;
    bool listed = false;
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        const char *name = json_object_get_string(json_object_array_get_idx(list, i));
        uint32_t known = name != NULL ? seccomp_arch(name) : 0;
        profile_at(r, "architectures[%zu]", i);
        if (known == 0)
            return profile_bad(r, "must be \"x86_64\" or \"aarch64\"");
        listed = listed || known == arch;
    }
    profile_at(r, "architectures");
    for (size_t i = 0; i < ARRAY_LEN(architectures); i++)
        if (architectures[i].arch == arch && !listed)
            return profile_bad(r, "\"%s\" is not listed: review the groups for it and add it",
                               architectures[i].name);
    return 0;
}

static int by_number_then_group(const void *a, const void *b)
{
    const struct seccomp_rule *x = a, *y = b;
    if (x->nr != y->nr)
        return x->nr < y->nr ? -1 : 1;
    return x->group < y->group ? -1 : x->group > y->group;
}

static int read_profile(struct profile_reader *r, json_object *root,
                        struct seccomp_profile *profile)
{
    static const char *const keys[] = {"!description", "!architectures", "!default", "!groups"};
    if (profile_keys(r, root, keys, ARRAY_LEN(keys)) < 0)
        return -1;
    profile_at(r, "description");
    if (profile_sentence(r, json_object_object_get(root, "description")) < 0)
        return -1;
    if (check_architectures(r, json_object_object_get(root, "architectures"), profile->arch) < 0)
        return -1;
    profile_at(r, "default");
    if (profile_action(r, json_object_object_get(root, "default"), &profile->default_action) < 0)
        return -1;
    if (profile->default_action == SECCOMP_RET_ALLOW)
        return profile_bad(
            r, "must not be \"allow\": calls that this file does not name, and those of "
               "future kernels, would be allowed");
    if (profile->default_action == SECCOMP_IGNORE)
        return profile_bad(
            r, "must not be \"ignore\": programs would believe that calls that this file "
               "does not name had succeeded");
    json_object *groups = json_object_object_get(root, "groups");
    profile_at(r, "groups");
    if (profile_list(r, groups, SECCOMP_MAX_GROUPS, "groups") < 0)
        return -1;
    profile->groups_count = json_object_array_length(groups);
    profile->groups = calloc(profile->groups_count, sizeof(*profile->groups));
    if (profile->groups == NULL)
        return profile_bad(r, "cannot be read: out of memory");
    for (size_t i = 0; i < profile->groups_count; i++)
        if (read_group(r, json_object_array_get_idx(groups, i), i, profile) < 0)
            return -1;
    if (profile->rules_count > 0)
        qsort(profile->rules, profile->rules_count, sizeof(*profile->rules), by_number_then_group);
    return 0;
}

int seccomp_profile_read(struct seccomp_profile *profile, const char *text, size_t size,
                         const char *file, uint32_t arch, struct sb_error *err)
{
    struct profile_reader r = {.file = json_file_shown(file), .err = err};
    *profile = (struct seccomp_profile){.arch = arch};
    __attribute__((cleanup(put_json))) json_object *root =
        json_file_parse(text, size, file, "seccomp", err);
    if (root == NULL)
        return -1;
    if (read_profile(&r, root, profile) < 0) {
        seccomp_profile_free(profile);
        return -1;
    }
    return 0;
}

void seccomp_profile_free(struct seccomp_profile *profile)
{
    for (size_t i = 0; profile->groups != NULL && i < profile->groups_count; i++)
        free(profile->groups[i].report.names);
    free(profile->groups);
    free(profile->rules);
    *profile = (struct seccomp_profile){0};
}
