/* Whether the host has memory left for a further job (memory_floor_bytes in sandbox.h). While it
 * has not, no job is started: waiting requests keep waiting, and new ones are refused. */
#include "serve/jobs/memory.h"

#include <inttypes.h>
#include <stdio.h>

#include "serve/jobs/service_state.h"

#define MIB (INT64_C(1024) * 1024)

static void log_memory(struct service *service, const struct sb_host_memory *memory)
{
    if (memory->low)
        log_say(service->log, LOG_WARNING,
                "the host has %" PRId64 " MiB of memory left, less than --memory-floor (%" PRId64
                " MiB): no job is started until it has more",
                memory->available_bytes / MIB, memory->floor_bytes / MIB);
    else
        log_say(service->log, LOG_INFO, "the host has enough memory again: jobs are started");
}

const char *memory_lack(struct service *service, bool look)
{
    struct sb_host_memory memory = sb_host_memory(service->sandbox, look || service->low);
    if (memory.low != service->low) {
        service->low = memory.low;
        places_hold(service->places, memory.low);
        log_memory(service, &memory);
    }
    if (!memory.low)
        return NULL;
    snprintf(service->lack, sizeof(service->lack),
             "the host has %" PRId64 " MiB of memory left, less than its floor of %" PRId64 " MiB",
             memory.available_bytes / MIB, memory.floor_bytes / MIB);
    return service->lack;
}
