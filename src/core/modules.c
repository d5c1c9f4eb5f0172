/* Finds the modules that a policy preloads and the root file system lacks. A small job under the
 * policy, with its environment and mounts, looks for them and imports none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/util.h"
#include "policy/policy.h"

/* Only packages and top-level modules are looked for: looking for a module in a package would
 * import the package. */
static const char code[] =
    "import sys\n"
    "from _frozen_importlib import _find_spec\n"
    "print(*[name for name in sys.argv[1:] if _find_spec(name, None) is None])\n";

/* Joins names that have spaces between them, with a prefix before each. */
static void join(char *text, size_t size, const char *names, const char *prefix, const char *glue)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t length; (length = strcspn(names, " \n")) > 0 && used < size;
         names += length + strspn(names + length, " "))
        used += (size_t)snprintf(text + used, size - used, "%s%s%.*s", used > 0 ? glue : "", prefix,
                                 (int)length, names);
}

static void on_done(void *user, const struct sb_verdict *verdict)
{
    const struct sb_search *search = user;
    const char *names = verdict->text[SB_STDOUT];
    char missing[200], packages[200], remedy[256];
    if (verdict->word != SB_OK || verdict->dropped_bytes[SB_STDOUT] > 0) {
        search->on_found(search->user, NULL, NULL);
        return;
    }
    join(missing, sizeof(missing), names, "", ", ");
    join(packages, sizeof(packages), names, "python3-", ",");
    snprintf(remedy, sizeof(remedy), "sandbox-rootfs build --with %s DIR", packages);
    search->on_found(search->user, missing, remedy);
}

/* The top-level packages and modules, each once. The caller frees them: sb_strv_free. */
static char **first_names(char *const *preload)
{
    size_t count = 0;
    char **names = calloc(strings_count((const char *const *)preload) + 1, sizeof(*names));
    for (size_t i = 0; names != NULL && preload[i] != NULL; i++) {
        size_t length = strcspn(preload[i], "."), j = 0;
        while (j < count &&
               (strlen(names[j]) != length || memcmp(names[j], preload[i], length) != 0))
            j++;
        if (j == count && (names[count++] = strndup(preload[i], length)) == NULL) {
            sb_strv_free(names);
            return NULL;
        }
    }
    return names;
}

int sb_find_modules(struct sb_sandbox *sandbox, const struct sb_policy *policy,
                    struct sb_search *search, struct sb_error *err)
{
    if (policy == NULL || search == NULL || search->on_found == NULL)
        return policy == NULL ? sb_fail_null(err, "policy", "one of sb_policy_load")
                              : sb_fail_null(err, "search", "one with a function on_found");
    char **names = first_names(policy->preload);
    if (names == NULL)
        return sb_fail(err, "modules", ENOMEM, "out of memory (looking for modules)");
    const struct sb_job job = {
        .policy = policy,
        .name = "-c",
        .code = code,
        .code_size = strlen(code),
        .args = (const char *const *)names,
        .limits = sb_limits_unset(),
        .on_done = on_done,
        .user = search,
    };
    int result = sb_start(sandbox, &job, NULL, err);
    sb_strv_free(names);
    return result;
}
