/* The host's last memory. Limits hold what the kernel counts as a job's; it does not count all of
 * it (record locks, for one), and promises may be more than there is. So what the whole host has
 * left is looked at while jobs run, and there is a floor under it: below it the job that grew last
 * is ended, and a program that starts jobs can ask whether to start another. */
#ifndef SB_FLOOR_H
#define SB_FLOOR_H

#include <stdbool.h>
#include <stdint.h>

struct sb_sandbox;

struct floor {
    int64_t bytes;     /* of memory that the host shall have left */
    int meminfo;       /* /proc/meminfo, once opened, else −1 */
    int64_t available; /* MemAvailable when last looked at, −1: not known */
    int64_t looked_us; /* 0: not yet */
    int64_t near_us;   /* the last look, if the floor was near and jobs were looked at too */
    int64_t under_us;  /* since when there has been less; 0: there is not */
    int64_t ended_us;  /* when a job was last ended for it */
    int timer;         /* timerfd for the next look, −1: none yet */
    bool armed;        /* it is set */
};

/* What a run held when the floor was near, and took since the look before. */
struct growth {
    int64_t looked_us; /* 0: not yet */
    int64_t memory, system_us;
    int64_t more, more_system_us;
    int64_t grew_us; /* when it last took much; 0: it was not seen to */
};

/* `bytes`: 0 for a fortieth of the host's memory, at least 64 MiB. */
void floor_open(struct sb_sandbox *sandbox, int64_t bytes);
void floor_close(struct sb_sandbox *sandbox);

/* A job runs: looks from now on, at intervals, until none does. */
void floor_watch(struct sb_sandbox *sandbox);
/* Its timer has rung. */
void floor_ready(struct sb_sandbox *sandbox);
/* Looks, if that is due by now. */
void floor_look(struct sb_sandbox *sandbox, int64_t now_us);

#endif
