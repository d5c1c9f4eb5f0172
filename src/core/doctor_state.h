/* What the parts of --doctor share. */
#ifndef CORE_DOCTOR_STATE_H
#define CORE_DOCTOR_STATE_H

#include "core/remedy.h"
#include "sandbox.h"

struct doctor {
    void (*on_finding)(void *user, const struct sb_finding *finding);
    void *user;
    int missing; /* required findings that are not ok */
    struct remedy_host host;
};

/* Hands a finding over, with its detail; a finding that is ok has no remedy. */
__attribute__((format(printf, 3, 4))) void
doctor_say(struct doctor *doctor, struct sb_finding finding, const char *format, ...);

/* The number in a file of /proc/sys; −1: this kernel does not have the file. */
long doctor_setting(const char *path);

/* Whether jobs get host uids of their own, and pythons for warm starts may start them. */
void doctor_check_ids(struct doctor *doctor, const struct sb_uids *uids);

#endif
