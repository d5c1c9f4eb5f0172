/* Answers HAProxy's agent checks (agent.c). */
#ifndef SERVE_AGENT_H
#define SERVE_AGENT_H

#include <stddef.h>

#include "sandbox.h"
#include "serve/http/listen.h"
#include "serve/process/loop.h"
#include "serve/process/metrics.h"

struct agent;
struct service;

/* All of these must live as long as the agent. */
struct agent_setup {
    struct loop *loop;
    struct service *service;
    const struct listeners *listeners; /* all workers accept from them */
    const struct metrics *metrics;     /* of all workers */
    size_t workers;
};

/* *agent is NULL if there are no listeners. */
int agent_open(struct agent **agent, const struct agent_setup *setup, struct sb_error *err);
/* NULL is allowed. */
void agent_close(struct agent *agent);

#endif
