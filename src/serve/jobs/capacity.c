/* The host's CPUs and memory for jobs: CPUs as the library counts them, and memory by the host's
 * size and the limits of our own cgroups, v2 or v1. In a container these are the container's. */
#include "serve/jobs/capacity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sandbox.h"

#define MIB (INT64_C(1024) * 1024)

int64_t capacity_millicpus(void)
{
    return 2 * sb_millicpus();
}

int64_t capacity_jobs(void)
{
    int64_t jobs = capacity_millicpus() / 1000;
    return jobs > 2 ? jobs : 2;
}

/* Reads a file with one number; −1: the file does not exist, or says "max". */
static int64_t read_number(const char *path)
{
    long long number = -1;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return -1;
    if (fscanf(file, "%lld", &number) != 1)
        number = -1;
    fclose(file);
    return number;
}

static int64_t lesser(int64_t a, int64_t b)
{
    return b >= 0 && b < a ? b : a;
}

/* The least limit of a cgroup and those above it. */
static int64_t cgroup_limit(const char *mount, char *cgroup, const char *file, int64_t most)
{
    for (;;) {
        char path[4096 + 128];
        snprintf(path, sizeof(path), "%s%s/%s", mount, cgroup, file);
        most = lesser(most, read_number(path));
        char *slash = strrchr(cgroup, '/');
        if (slash == NULL)
            return most;
        *slash = '\0';
    }
}

/* "0::/user.slice/…" on v2, "7:memory:/…" on v1. */
static int64_t own_limit(int64_t most)
{
    char line[4096];
    FILE *file = fopen("/proc/self/cgroup", "re");
    if (file == NULL)
        return most;
    while (fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':');
        char *cgroup = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
        if (cgroup == NULL)
            continue;
        *cgroup++ = '\0';
        if (controllers[1] == '\0')
            most = cgroup_limit("/sys/fs/cgroup", cgroup, "memory.max", most);
        else if (strcmp(controllers + 1, "memory") == 0)
            most = cgroup_limit("/sys/fs/cgroup/memory", cgroup, "memory.limit_in_bytes", most);
    }
    fclose(file);
    return most;
}

int64_t capacity_memory(void)
{
    int64_t total = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
    total = own_limit(total);
    int64_t reserve = total / 10 > 256 * MIB ? total / 10 : 256 * MIB;
    return total > 2 * reserve ? total - reserve : total / 2;
}
