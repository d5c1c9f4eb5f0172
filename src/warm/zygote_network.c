/* See zygote_network.h. A network namespace whose loopback device is down carries no packet, and
 * the jobs' filter lets no option of a socket through that stays when the socket is gone. What a
 * job can leave there is counted: that it looked for a way out, and sockets that hold each other
 * and live until the kernel collects them. The next job would see both in /proc/self/net. */
#include "zygote_network.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util.h"

/* Each packet, and each that found no way, is counted in snmp or snmp6; netstat has the details of
 * what is counted there and takes as long to read as all of these. Of sockstat it is the first line
 * that is the namespace's alone: how many sockets there are, of any kind. */
static const struct {
    const char *path;
    bool first_line;
} counters[] = {
    {"/proc/thread-self/net/sockstat", true},
    {"/proc/thread-self/net/snmp", false},
    {"/proc/thread-self/net/snmp6", false}, /* not there without IPv6 */
};

static uint64_t hash(uint64_t h, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        h = (h ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return h;
}

/* Of the namespace that we are in. 0: it can't be known. */
static uint64_t network_state(void)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < ARRAY_LEN(counters); i++) {
        _cleanup_close_ int fd = open(counters[i].path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT && !counters[i].first_line)
            continue;
        char text[2048];
        ssize_t size = fd >= 0 ? read(fd, text, sizeof(text)) : -1;
        if (size <= 0)
            return 0;
        if (counters[i].first_line) {
            const char *end = memchr(text, '\n', (size_t)size);
            h = hash(h, text, end != NULL ? (size_t)(end - text) : (size_t)size);
            continue;
        }
        for (; size > 0; size = read(fd, text, sizeof(text)))
            h = hash(h, text, (size_t)size);
        if (size < 0)
            return 0;
    }
    return h != 0 ? h : 1;
}

int network_enter(struct networks *networks, int32_t index)
{
    if (index < 0 || index >= NETWORKS)
        return -1;
    int *fd = &networks->fd[index];
    uint64_t *as_new = &networks->as_new[index];
    if (*fd > 0) {
        if (setns(*fd, CLONE_NEWNET) == 0 && *as_new != 0 && network_state() == *as_new)
            return 0;
        close(*fd);
        *fd = 0;
    }
    if (unshare(CLONE_NEWNET) < 0)
        return -1;
    *as_new = network_state();
    int made = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (made >= 0)
        *fd = made;
    return 0;
}
