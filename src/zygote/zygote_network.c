/* See zygote_network.h. A network namespace whose loopback device is down carries no packet, and
 * the jobs' filter refuses socket options that outlive their socket. A job can leave two traces,
 * which the next job would see in /proc/self/net: counters of its attempts to send, and sockets
 * that hold each other until the kernel collects them. */
#include "zygote/zygote_network.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "common/util.h"

/* Each packet, also an unroutable one, is counted in snmp or snmp6; netstat only has details of
 * these and takes as long to read as all others together. In sockstat only the first line, the
 * number of all sockets, belongs to the namespace alone. Opening a file takes as long as reading
 * it, so they stay open. */
static const struct {
    const char *path;
    bool first_line;
} counters[NETWORK_COUNTERS] = {
    {"/proc/thread-self/net/sockstat", true},
    {"/proc/thread-self/net/snmp", false},
    {"/proc/thread-self/net/snmp6", false}, /* missing without IPv6 */
};

/* Opens those of our current namespace. −1: one of them can't be read. */
static int open_counters(struct kept_network *network)
{
    int result = 0;
    for (size_t i = 0; i < NETWORK_COUNTERS; i++) {
        network->counters[i] = open(counters[i].path, O_RDONLY | O_CLOEXEC);
        if (network->counters[i] < 0 && (errno != ENOENT || counters[i].first_line))
            result = -1;
    }
    return result;
}

/* Returns the size of the text, 0 when it is unknown. */
static size_t read_counters(const struct kept_network *network, char text[NETWORK_TEXT_SIZE])
{
    size_t used = 0;
    for (size_t i = 0; i < NETWORK_COUNTERS; i++) {
        if (network->counters[i] < 0)
            continue;
        size_t room = NETWORK_TEXT_SIZE - used;
        ssize_t size = pread(network->counters[i], text + used, room, 0);
        if (size <= 0 || (size_t)size == room)
            return 0;
        const char *end = memchr(text + used, '\n', (size_t)size);
        used +=
            counters[i].first_line && end != NULL ? (size_t)(end - (text + used)) : (size_t)size;
    }
    return used;
}

static bool is_as_new(const struct kept_network *network)
{
    char text[NETWORK_TEXT_SIZE];
    size_t size = network->as_new_size;
    return size > 0 && read_counters(network, text) == size &&
           memcmp(text, network->as_new, size) == 0;
}

static void forget(struct kept_network *network)
{
    for (size_t i = 0; i < NETWORK_COUNTERS; i++)
        close_fd(&network->counters[i]);
    close_fd(&network->fd);
    network->fd = 0;
}

static int make(struct kept_network *network)
{
    if (unshare(CLONE_NEWNET) < 0)
        return -1;
    int made = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (made < 0)
        return 0; /* for this child alone */
    network->fd = made;
    network->as_new_size =
        open_counters(network) == 0 ? read_counters(network, network->as_new) : 0;
    return 0;
}

int network_enter(struct networks *networks, int32_t index)
{
    if (index < 0 || index >= NETWORKS)
        return -1;
    struct kept_network *network = &networks->network[index];
    if (network->fd > 0) {
        if (is_as_new(network) && setns(network->fd, CLONE_NEWNET) == 0)
            return 0;
        forget(network);
    }
    return make(network);
}
