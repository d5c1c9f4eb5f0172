/* Policies: finding, loading and listing them, and what they admit of a request. A policy is read
 * once, checked, and then never changes. policy_json.c says what its keys mean. */
#include "policy/policy.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/json_file.h"
#include "common/util.h"
#include "policy/limit.h"
#include "policy/policy_json.h"

static const char suffix[] = ".json";

const char *const output_buffering_names[] = {"line", "block", "none"};
const char *const figures_names[] = {"png", "svg"};

static bool has_suffix(const char *name)
{
    size_t length = strlen(name);
    return length >= sizeof(suffix) && strcmp(name + length - strlen(suffix), suffix) == 0;
}

static bool is_path(const char *name)
{
    return strchr(name, '/') != NULL || has_suffix(name);
}

/* ── Files ───────────────────────────────────────────────────────────────────────────────────── */

/* The directory part of a path, "." when it has none. The caller frees it. */
static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return strdup(".");
    return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* The last part of a path without ".json". The caller frees it. */
static char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *last = slash != NULL ? slash + 1 : path;
    return strndup(last, strlen(last) - (has_suffix(last) ? strlen(suffix) : 0));
}

static int no_such_policy(const char *directory, const char *name, struct sb_error *err)
{
    char **names = NULL;
    if (sb_policy_list(&names, directory, err) < 0 || names == NULL)
        return -1;
    char known[300] = "";
    size_t length = 0;
    for (size_t i = 0; names[i] != NULL && length < sizeof(known); i++)
        length += (size_t)snprintf(known + length, sizeof(known) - length, "%s%s",
                                   i == 0 ? "" : ", ", names[i]);
    sb_strv_free(names);
    return sb_fail_field(err, "policy", "policy", "no policy in %s has the name \"%.64s\": use %s",
                         json_file_shown(directory), name,
                         length > 0 ? known : "the path of a policy file");
}

/* "run.json" where no such file is here, but the policy "run" is there: says so. */
static bool is_meant(const char *path, const char *directory, const char *name,
                     struct sb_error *err)
{
    char installed[PATH_MAX];
    snprintf(installed, sizeof(installed), "%s/%s", directory, name);
    if (access(path, F_OK) == 0 || errno != ENOENT || access(installed, F_OK) < 0)
        return false;
    sb_fail_field(err, "policy", "policy",
                  "there is no file %.64s here; for the policy of that name give %.*s", name,
                  (int)(strlen(name) - strlen(suffix)), name);
    return true;
}

/* The path of the file. The caller frees it. */
static char *find_policy(const char *directory, const char *name, struct sb_error *err)
{
    char *path = NULL;
    if (name == NULL || name[0] == '\0') {
        sb_fail_field(err, "policy", "policy", "a policy's name can't be empty: use \"default\"");
        return NULL;
    }
    if ((is_path(name) ? asprintf(&path, "%s", name)
                       : asprintf(&path, "%s/%s%s", directory, name, suffix)) < 0) {
        sb_fail(err, "policy", ENOMEM, "policy %.64s", name);
        return NULL;
    }
    if (!is_path(name) && access(path, F_OK) < 0 && errno == ENOENT) {
        free(path);
        no_such_policy(directory, name, err);
        return NULL;
    }
    if (strchr(name, '/') == NULL && is_path(name) && is_meant(path, directory, name, err)) {
        free(path);
        return NULL;
    }
    return path;
}

/* The path of a profile that the policy file names. The caller frees it. NULL when memory is short.
 */
static char *profile_path(const char *said, const char *directory)
{
    char *path = NULL;
    _cleanup_free_ char *cwd = NULL;
    const char *base = "";
    /* Absolute, so that it still names the same file where the policy is printed or the cwd
     * changes. */
    if (directory[0] != '/' && said[0] != '/') {
        base = cwd = getcwd(NULL, 0);
        if (cwd == NULL)
            return NULL;
    }
    const char *slash = base[0] == '\0' ? "" : "/";
    int made = said[0] == '/' ? asprintf(&path, "%s", said)
               : is_path(said)
                   ? asprintf(&path, "%s%s%s/%s", base, slash, directory, said)
                   : asprintf(&path, "%s%s%s/seccomp/%s%s", base, slash, directory, said, suffix);
    return made < 0 ? NULL : path; /* asprintf leaves path undefined when it fails */
}

/* Says where the profile was looked for. */
static int no_profile(const char *said, const char *file, const char *own, const char *directory,
                      struct sb_error *err)
{
    if (is_path(said))
        return sb_fail_field(err, "policy", "seccomp",
                             "policy %.120s: seccomp: there is no profile %.100s%s%.120s: give the "
                             "path of a file",
                             json_file_shown(file), said, said[0] == '/' ? "" : " in ",
                             said[0] == '/' ? "" : own);
    bool both = strcmp(own, directory) != 0;
    return sb_fail_field(err, "policy", "seccomp",
                         "policy %.100s: seccomp: there is no profile \"%.40s\" in "
                         "%.100s/seccomp%s%.100s%s: use the name of a file there, such as "
                         "\"default\" or \"strict\", or a path",
                         json_file_shown(file), said, own, both ? " or " : "",
                         both ? directory : "", both ? "/seccomp" : "");
}

/* Replaces policy->seccomp, as the file says it, by the path of the profile. A policy outside
 * `directory` may use the profiles in it, too. */
static int find_profile(struct sb_policy *policy, const char *file, const char *directory,
                        struct sb_error *err)
{
    _cleanup_free_ char *said = steal_ptr(policy->seccomp);
    _cleanup_free_ char *own = directory_of(file);
    if (own == NULL)
        return sb_fail(err, "policy", ENOMEM, "policy %s", json_file_shown(file));

    const char *const places[] = {own, directory};
    for (size_t i = 0; i < (is_path(said) ? 1 : ARRAY_LEN(places)); i++) {
        _cleanup_free_ char *path = profile_path(said, places[i]);
        if (path == NULL)
            return sb_fail(err, "policy", errno, "policy %s: seccomp", json_file_shown(file));
        if (access(path, F_OK) == 0) {
            policy->seccomp = steal_ptr(path);
            return 0;
        }
    }
    return no_profile(said, file, own, directory, err);
}

int sb_policy_load(struct sb_policy **policy, const char *directory, const char *name,
                   struct sb_error *err)
{
    if (policy == NULL)
        return sb_fail_null(err, "policy", "the address of a pointer");
    *policy = NULL;
    if (directory == NULL)
        directory = SB_POLICY_DIR;
    _cleanup_free_ char *file = find_policy(directory, name, err);
    if (file == NULL)
        return -1;
    struct json_object *object = json_file_load(file, "policy", err);
    if (object == NULL)
        return -1;

    int result = -1;
    struct sb_policy *loaded = calloc(1, sizeof(*loaded));
    if (loaded == NULL || (loaded->name = name_of(file)) == NULL)
        sb_fail(err, "policy", ENOMEM, "policy %s", json_file_shown(file));
    else if (policy_from_json(loaded, object, file, err) == 0)
        result = find_profile(loaded, file, directory, err);
    json_object_put(object);
    if (result == 0)
        *policy = loaded;
    else
        sb_policy_free(loaded);
    return result;
}

void sb_policy_free(struct sb_policy *policy)
{
    if (policy == NULL)
        return;
    for (size_t i = 0; i < policy->mounts_count; i++) {
        free(policy->mounts[i].source);
        free(policy->mounts[i].target);
    }
    free(policy->mounts);
    sb_strv_free(policy->environment);
    sb_strv_free(policy->preload);
    free(policy->seccomp);
    free(policy->description);
    free(policy->name);
    free(policy);
}

/* ── What it says ────────────────────────────────────────────────────────────────────────────── */

const char *sb_policy_name(const struct sb_policy *policy)
{
    return policy != NULL ? policy->name : "";
}

const char *sb_policy_description(const struct sb_policy *policy)
{
    return policy != NULL ? policy->description : "";
}

int64_t sb_policy_limit(const struct sb_policy *policy, enum sb_limit limit)
{
    return policy != NULL && (unsigned)limit < SB_LIMITS ? policy->limits.value[limit] : SB_UNSET;
}

int64_t sb_policy_cap(const struct sb_policy *policy, enum sb_limit limit)
{
    return policy != NULL && (unsigned)limit < SB_LIMITS ? policy->caps.value[limit] : SB_UNSET;
}

const char *const *sb_policy_preload(const struct sb_policy *policy)
{
    static const char *const none[] = {NULL};
    return policy != NULL ? (const char *const *)policy->preload : none;
}

bool sb_policy_writable(const struct sb_policy *policy)
{
    return policy != NULL && policy->writable;
}

void sb_policy_lower_cap(struct sb_policy *policy, enum sb_limit limit, int64_t most)
{
    if (policy == NULL || (unsigned)limit >= SB_LIMITS || most >= policy->caps.value[limit])
        return;
    int64_t least = policy->limits.value[limit];
    policy->caps.value[limit] = most > least ? most : least;
}

int policy_admit(struct sb_limits *effective, const struct sb_policy *policy,
                 const struct sb_limits *asked, struct sb_error *err)
{
    struct sb_limits admitted = policy->limits;
    for (size_t i = 0; i < SB_LIMITS; i++) {
        enum sb_limit limit = (enum sb_limit)i;
        const struct sb_limit_info *info = sb_limit_info(limit);
        int64_t value = asked->value[i], cap = policy->caps.value[i];
        char text[LIMIT_TEXT_SIZE], bound[LIMIT_TEXT_SIZE];
        if (value == 0 || value == SB_UNSET)
            continue;
        if (value < info->min)
            return sb_fail_field(err, "admit", info->name, "%s must be at least %s", info->name,
                                 limit_text(bound, limit, info->min));
        if (value > cap)
            return sb_fail_field(err, "admit", info->name,
                                 "%s can't be %s: policy \"%s\" allows up to %s (caps.%s)",
                                 info->name, limit_text(text, limit, value), policy->name,
                                 limit_text(bound, limit, cap), info->name);
        admitted.value[i] = value;
    }
    *effective = admitted;
    return 0;
}

/* ── The policies of a directory ─────────────────────────────────────────────────────────────── */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_name(char ***names, size_t *count, const char *file)
{
    char *name = strndup(file, strlen(file) - strlen(suffix));
    char **larger = reallocarray(*names, *count + 2, sizeof(**names));
    if (larger != NULL)
        *names = larger;
    if (name == NULL || larger == NULL) {
        free(name);
        return -1;
    }
    larger[(*count)++] = name;
    larger[*count] = NULL;
    return 0;
}

int sb_policy_list(char ***names, const char *directory, struct sb_error *err)
{
    if (names == NULL)
        return sb_fail_null(err, "names", "the address of a pointer");
    *names = NULL;
    if (directory == NULL)
        directory = SB_POLICY_DIR;
    DIR *stream = opendir(directory);
    if (stream == NULL)
        return sb_fail(err, "policy", errno,
                       "the policies in %s can't be listed: %m; install sandbox-run, or set "
                       "SANDBOX_POLICIES to another directory",
                       json_file_shown(directory));
    size_t count = 0;
    char **found = calloc(1, sizeof(*found));
    int result = found != NULL ? 0 : -1;
    struct dirent *entry;
    while (result == 0 && (entry = readdir(stream)) != NULL)
        if (entry->d_name[0] != '.' && entry->d_type != DT_DIR && has_suffix(entry->d_name))
            result = add_name(&found, &count, entry->d_name);
    closedir(stream);
    if (result < 0) {
        sb_strv_free(found);
        return sb_fail(err, "policy", ENOMEM, "the policies in %s", json_file_shown(directory));
    }
    qsort(found, count, sizeof(*found), compare_names);
    *names = found;
    return 0;
}

void sb_strv_free(char **strings)
{
    for (size_t i = 0; strings != NULL && strings[i] != NULL; i++)
        free(strings[i]);
    free(strings);
}
