/* A floor under the host's memory. Limits bound what the kernel counts as a job's, but it does not
 * count everything (record locks, for one), and the limits of all jobs together may be more than
 * the host has. So we watch how much memory the whole host has left while jobs run. Below the floor
 * the job that grew last is ended, and a program that starts jobs can ask whether to start
 * another. */
#ifndef SB_FLOOR_H
#define SB_FLOOR_H

#include <stdbool.h>
#include <stdint.h>

struct sb_sandbox;

struct floor {
    int64_t bytes;     /* the memory that the host shall have left */
    int meminfo;       /* /proc/meminfo, once opened, else −1 */
    int64_t available; /* MemAvailable at the last look, −1: not known */
    int64_t looked_us; /* 0: not yet */
    int64_t near_us; /* the last look, if the floor was near and jobs were looked at, too; else 0 */
    int64_t under_us; /* since when less than the floor is left; 0: more is left */
    int64_t ended_us; /* when a job was last ended because of the floor */
    int timer;        /* timerfd for the next look, −1: none yet */
    bool armed;       /* the timer is set */
};

/* What a run held when the floor was near, and how much more than at the look before. */
struct growth {
    int64_t looked_us; /* 0: not yet */
    int64_t memory, system_us;
    int64_t more, more_system_us;
    int64_t grew_us; /* when it was last seen to take much; 0: never */
};

/* `bytes`: the floor; 0: a fortieth of the host's memory, at least 64 MiB. */
void floor_open(struct sb_sandbox *sandbox, int64_t bytes);
void floor_close(struct sb_sandbox *sandbox);

/* A job runs: looks at intervals from now on, until no job runs. */
void floor_watch(struct sb_sandbox *sandbox);
/* The timer has expired. */
void floor_ready(struct sb_sandbox *sandbox);
/* Looks, if a look is due. */
void floor_look(struct sb_sandbox *sandbox, int64_t now_us);

#endif
