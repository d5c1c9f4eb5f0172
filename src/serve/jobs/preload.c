/* See preload.h. */
#include "serve/jobs/preload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/jobs/service_state.h"

struct preload_search {
    struct sb_search search;
    struct service *service;
    struct policies *policies; /* the set; a reload may bring another one meanwhile */
    size_t index;
    LIST_ENTRY(preload_search) all;
};

const char *preload_reason(const struct policies *policies, size_t index,
                           char text[static PRELOAD_REASON_SIZE])
{
    if (policies->missing[index] != NULL)
        return policies->missing[index];
    if (policies->sandbox == NULL || *policies->sandbox == NULL)
        return NULL;
    struct sb_warm_state state = sb_warm_state(*policies->sandbox, policies->policy[index]);
    if (state.ready || state.broken[0] == '\0')
        return NULL;
    snprintf(text, PRELOAD_REASON_SIZE, "%.300s: fix that in the root file system", state.broken);
    return text;
}

static void free_search(struct preload_search *search)
{
    LIST_REMOVE(search, all);
    policies_release(search->policies);
    free(search);
}

static void say_missing(const struct preload_search *search)
{
    char text[PRELOAD_REASON_SIZE];
    log_say(search->service->log, LOG_WARNING, "policy \"%s\" is not offered: %s",
            sb_policy_name(search->policies->policy[search->index]),
            preload_reason(search->policies, search->index, text));
}

/* A policy that is not offered has no interpreter kept ready. */
static void on_found(void *user, const char *missing, const char *remedy)
{
    struct preload_search *search = user;
    struct policies *policies = search->policies;
    char **known = &policies->missing[search->index];
    const struct sb_policy *policy = policies->policy[search->index];
    if (missing != NULL) {
        free(*known);
        *known = NULL;
        if (missing[0] != '\0' &&
            asprintf(known, "the root file system has no %s: build one that has (%s)", missing,
                     remedy) < 0)
            *known = NULL;
    }
    if (*known != NULL) {
        sb_warm_forget(search->service->sandbox, policy);
        say_missing(search);
    } else if (policies == search->service->policies) {
        sb_warm_prepare(search->service->sandbox, policy);
    }
    free_search(search);
}

static void start_search(struct service *service, size_t index)
{
    struct policies *policies = service->policies;
    struct preload_search *search = calloc(1, sizeof(*search));
    struct sb_error err;
    if (search == NULL)
        return;
    *search = (struct preload_search){.search = {on_found, search},
                                      .service = service,
                                      .policies = policies_use(policies),
                                      .index = index};
    LIST_INSERT_HEAD(&service->searches, search, all);
    /* If even this job can't run, health and each job report it. */
    if (sb_find_modules(service->sandbox, policies->policy[index], &search->search, &err) < 0)
        free_search(search);
}

void preload_begin(struct service *service)
{
    struct policies *policies = service->policies;
    for (size_t i = 0; i < policies->count; i++)
        if (sb_policy_preload(policies->policy[i])[0] != NULL)
            start_search(service, i);
}

void preload_inherit(struct policies *policies, const struct policies *old)
{
    for (size_t i = 0; i < policies->count; i++)
        for (size_t j = 0; j < old->count; j++)
            if (old->missing[j] != NULL && sb_policy_preload(policies->policy[i])[0] != NULL &&
                strcmp(sb_policy_name(policies->policy[i]), sb_policy_name(old->policy[j])) == 0)
                policies->missing[i] = strdup(old->missing[j]);
}

int preload_wait(struct service *service, struct sb_error *err)
{
    while (!LIST_EMPTY(&service->searches))
        if (sb_turn(service->sandbox, -1, err) < 0)
            return -1;
    return 0;
}

void preload_close(struct service *service)
{
    while (!LIST_EMPTY(&service->searches))
        free_search(LIST_FIRST(&service->searches));
}
