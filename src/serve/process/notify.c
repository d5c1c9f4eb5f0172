/* sd_notify(3), whose protocol systemd promises to keep. libsystemd's own function waits while the
 * manager's socket is full, and the manager may have stopped reading. */
#include "serve/process/notify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "common/util.h"
#include "serve/process/outbox.h"

enum { KEPT_BYTES = 8 * 1024 };

struct manager {
    struct sockaddr_un address;
    socklen_t address_size; /* 0: there is no manager */
    int fd;
    int64_t stop_ms;
    struct outbox outbox;
};

static ssize_t send_notice(void *user, const char *data, size_t size, bool begun)
{
    const struct manager *manager = user;
    (void)begun;
    return sendto(manager->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL,
                  (const struct sockaddr *)&manager->address, manager->address_size);
}

/* "/path", or "@name" of the abstract namespace. */
static socklen_t find_socket(struct sockaddr_un *address)
{
    const char *name = getenv("NOTIFY_SOCKET");
    size_t size = name != NULL ? strlen(name) : 0;
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (size < 2 || size >= sizeof(address->sun_path) || (*name != '/' && *name != '@'))
        return 0;
    memcpy(address->sun_path, name, size);
    if (*name == '@')
        address->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
}

struct manager *manager_open(int64_t stop_ms)
{
    struct manager *manager = calloc(1, sizeof(*manager));
    if (manager == NULL)
        return NULL;
    *manager = (struct manager){
        .fd = -1, .stop_ms = stop_ms, .outbox = {.send = send_notice, .bytes_max = KEPT_BYTES}};
    manager->outbox.user = manager;
    outbox_open(&manager->outbox);
    manager->address_size = find_socket(&manager->address);
    if (manager->address_size > 0)
        manager->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return manager;
}

void manager_close(struct manager *manager)
{
    enum { LAST_MS = 100 };
    if (manager == NULL)
        return;
    outbox_finish(&manager->outbox, LAST_MS);
    outbox_free(&manager->outbox);
    close_fd(&manager->fd);
    free(manager);
}

int manager_attach(struct manager *manager, struct loop *loop)
{
    return outbox_attach(&manager->outbox, loop);
}

void manager_detach(struct manager *manager)
{
    outbox_detach(&manager->outbox);
}

void manager_forked(struct manager *manager)
{
    outbox_forked(&manager->outbox);
    close_fd(&manager->fd);
}

void manager_tell(struct manager *manager, enum notice notice, const char *status)
{
    static const char *const words[] = {[NOTICE_READY] = "READY=1",
                                        [NOTICE_RELOADING] = "RELOADING=1",
                                        [NOTICE_STOPPING] = "STOPPING=1",
                                        [NOTICE_ALIVE] = "WATCHDOG=1"};
    char text[1024];
    size_t used = (size_t)snprintf(text, sizeof(text), "%s\n", words[notice]);
    if (manager->fd < 0 || (notice == NOTICE_ALIVE && manager->outbox.bytes > 0))
        return; /* it would be out of date when it is sent later */
    /* Type=notify-reload wants to know when the reload began. */
    if (notice == NOTICE_RELOADING)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "MONOTONIC_USEC=%lld\n",
                                 (long long)monotonic_us());
    if (notice == NOTICE_STOPPING)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "EXTEND_TIMEOUT_USEC=%lld\n",
                                 (long long)manager->stop_ms * 1000);
    if (status != NULL)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "STATUS=%.900s\n", status);
    outbox_put(&manager->outbox, text, used);
}

#ifdef HAVE_SYSTEMD
int64_t notify_interval_ms(void)
{
    uint64_t usec;
    if (sd_watchdog_enabled(0, &usec) <= 0)
        return 0;
    return usec < 2000 ? 1 : (int64_t)(usec / 2000);
}
#else
int64_t notify_interval_ms(void)
{
    return 0;
}
#endif
