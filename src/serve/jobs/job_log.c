/* See job_log.h. */
#include "serve/jobs/job_log.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "serve/jobs/service_job.h"
#include "serve/jobs/service_state.h"

/* The calls that report_denied has found, as "mount, socket(AF_NETLINK)"; NULL: none. */
static const char *denied_text(char *text, size_t size, const struct sb_verdict *verdict)
{
    size_t used = 0;
    for (int64_t i = 0; i < verdict->denied_count && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i > 0 ? ", " : "",
                                 verdict->denied[i].call);
    return used > 0 ? text : NULL;
}

/* The signal's name as in the answer; NULL: none. */
static const char *signal_text(char text[32], int signal)
{
    const char *name = signal > 0 ? sigabbrev_np(signal) : NULL;
    if (name != NULL)
        snprintf(text, 32, "SIG%s", name);
    else if (signal >= SIGRTMIN && signal <= SIGRTMAX)
        snprintf(text, 32, "SIGRTMIN+%d", signal - SIGRTMIN);
    else
        snprintf(text, 32, "SIG%d", signal);
    return signal > 0 ? text : NULL;
}

/* The limit that ended the job, by its name in requests; NULL: none did. */
static const char *limit_hit(const struct sb_verdict *verdict)
{
    static const char *const names[] = {[SB_TIMEOUT] = "wall_time_ms",
                                        [SB_CPU_TIME] = "cpu_time_ms",
                                        [SB_MEMORY] = "memory_bytes",
                                        [SB_OUTPUT] = "output_bytes",
                                        [SB_INTERNAL] = NULL};
    /* A script that has exited by itself was not killed for its output. */
    if (verdict->word == SB_OUTPUT && verdict->exit_code == 0)
        return "result_bytes";
    return names[verdict->word];
}

void job_log(const struct service_job *job, const struct sb_verdict *verdict, unsigned status)
{
    char denied[1024], signal[32];
    bool internal = verdict->word == SB_INTERNAL;
    const struct log_field fields[] = {
        {"id", .text = job->id},
        {"client", .text = job->client.address},
        {"token", .text = job->client.token, .number = -1},
        {"endpoint", .text = job->endpoint},
        {"policy", .text = sb_policy_name(job->policy)},
        {"code_sha256", .text = job->code_sha256, .detail = true},
        {"code_bytes", .number = (int64_t)job->code_size, .detail = true},
        {"start", .text = verdict->start},
        {"verdict", .text = sb_word_name(verdict->word)},
        {"limit", .text = limit_hit(verdict), .number = -1},
        {"exit_code", .number = verdict->exit_code},
        {"signal", .text = signal_text(signal, verdict->signal), .number = -1},
        {"status", .number = status > 0 ? (int64_t)status : -1},
        {"stream", .text = job->stream != NULL ? stream_type(job->stream) : NULL, .number = -1},
        {"stream_bytes", .number = job->stream != NULL ? stream_bytes(job->stream) : -1},
        {"waited_ms", .number = (job->ticket.started_us - job->ticket.entered_us) / 1000,
         .detail = true},
        {"wall_time_ms", .number = verdict->wall_time_us < 0 ? -1 : verdict->wall_time_us / 1000},
        {"cpu_time_ms", .number = verdict->cpu_time_us < 0 ? -1 : verdict->cpu_time_us / 1000},
        {"memory_peak_bytes", .number = verdict->memory_peak_bytes},
        {"pids_peak", .number = verdict->pids_peak},
        {"denied", .text = denied_text(denied, sizeof(denied), verdict), .number = -1},
        /* A script's error concerns its author; the sandbox's error concerns us. */
        {"error", .text = internal ? verdict->error : NULL, .number = -1},
        {"code", .text = job->code, .size = job->code_size},
    };
    size_t count = ARRAY_LEN(fields) - (job->code == NULL);
    log_record(job->service->log, internal ? LOG_ERR : LOG_INFO,
               status > 0 ? "job ended" : "job ended, its client had left", fields, count);
}
