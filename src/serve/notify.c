/* sd_notify(3), or nothing where libsystemd was not there at build time. */
#include "notify.h"

#ifdef HAVE_SYSTEMD
#include <stdio.h>
#include <systemd/sd-daemon.h>
#include <time.h>

void notify_manager(enum notice notice)
{
    /* Type=notify-reload wants to know when the reload began, by the monotonic clock. */
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    switch (notice) {
    case NOTICE_READY:
        sd_notify(0, "READY=1");
        return;
    case NOTICE_RELOADING:
        sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
                   (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
        return;
    case NOTICE_STOPPING:
        sd_notify(0, "STOPPING=1");
        return;
    case NOTICE_ALIVE:
        sd_notify(0, "WATCHDOG=1");
        return;
    }
}

int64_t notify_interval_ms(void)
{
    uint64_t usec;
    if (sd_watchdog_enabled(0, &usec) <= 0)
        return 0;
    return usec < 2000 ? 1 : (int64_t)(usec / 2000);
}
#else
void notify_manager(enum notice notice)
{
    (void)notice;
}

int64_t notify_interval_ms(void)
{
    return 0;
}
#endif
