/* Policies whose jobs could not import what they preload: they are not offered. A module that is
 * not there is found by a search at the start and after a reload; one that is there and can't be
 * imported by the zygote that tries, again and again. */
#ifndef SERVE_PRELOAD_H
#define SERVE_PRELOAD_H

#include <sys/queue.h>

#include "sandbox.h"

struct policies;
struct service;

struct preload_search;
LIST_HEAD(preload_searches, preload_search);

/* A new set begins with what was known of the old one. */
void preload_inherit(struct policies *policies, const struct policies *old);
/* Looks for the modules of all policies of the present set; what they show comes later. */
void preload_begin(struct service *service);
/* Waits for that. −1 when it can't. */
int preload_wait(struct service *service, struct sb_error *err);
/* After sb_close. */
void preload_close(struct service *service);

/* NULL when a policy of this set is offered; else the reason, perhaps in `text`. */
#define PRELOAD_REASON_SIZE 480
const char *preload_reason(const struct policies *policies, size_t index,
                           char text[static PRELOAD_REASON_SIZE]);

#endif
