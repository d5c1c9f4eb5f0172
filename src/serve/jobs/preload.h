/* Policies that preload modules which can't be imported are not offered. Missing modules are found
 * by a search at the start and after a reload; modules that exist but can't be imported, by the
 * zygote, which keeps trying. */
#ifndef SERVE_PRELOAD_H
#define SERVE_PRELOAD_H

#include <sys/queue.h>

#include "sandbox.h"

struct policies;
struct service;

struct preload_search;
LIST_HEAD(preload_searches, preload_search);

/* A new set starts with what was known of the old one. */
void preload_inherit(struct policies *policies, const struct policies *old);
/* Starts searching for the modules of all policies of the present set. Results come later. */
void preload_begin(struct service *service);
/* Waits for all searches. −1: it can't wait. */
int preload_wait(struct service *service, struct sb_error *err);
/* Call it after sb_close. */
void preload_close(struct service *service);

/* NULL: this policy of the set is offered. Else the reason why not, which may be in `text`. */
#define PRELOAD_REASON_SIZE 480
const char *preload_reason(const struct policies *policies, size_t index,
                           char text[static PRELOAD_REASON_SIZE]);

#endif
