/* See evidence.h. */
#include "core/evidence.h"

#include <stdlib.h>

void evidence_init(struct evidence *evidence)
{
    *evidence = (struct evidence){
        .cpu_time_us = -1,
        .memory_peak = -1,
        .pids_peak = -1,
        .oom_kills = -1,
        .memory_hits = -1,
        .times_us = -1,
    };
}

void evidence_free(struct evidence *evidence)
{
    free(evidence->message);
    evidence_init(evidence);
}
