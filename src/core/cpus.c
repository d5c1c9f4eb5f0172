/* How many CPUs we and our jobs may use: by our affinity, which cpusets bound, and by the quotas of
 * the cgroups that we are in, v2 or v1. In a container these are the container's. */
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup/cgroup.h"
#include "common/small_file.h"
#include "common/util.h"

static int64_t by_affinity(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
        return CPU_COUNT(&set);
    long online = sysconf(_SC_NPROCESSORS_ONLN); /* the host has more CPUs than a cpu_set_t holds */
    return online > 0 ? online : 1;
}

/* A quota in thousandths of a CPU; 0: no limit. */
static int64_t millicpus(int64_t quota_us, int64_t period_us)
{
    return quota_us > 0 && period_us > 0 ? (quota_us * 1000 + period_us - 1) / period_us : 0;
}

/* Reads cpu.max: "50000 100000" or "max 100000". */
static int64_t quota_v2(const char *directory)
{
    char path[4096 + 32], text[64];
    int64_t quota, period;
    snprintf(path, sizeof(path), "%s/cpu.max", directory);
    if (small_file_read(AT_FDCWD, path, text, sizeof(text)) <= 0 ||
        sscanf(text, "%" SCNd64 " %" SCNd64, &quota, &period) != 2)
        return 0;
    return millicpus(quota, period);
}

static int64_t number(const char *directory, const char *file)
{
    char path[4096 + 32], text[64];
    snprintf(path, sizeof(path), "%s/%s", directory, file);
    return small_file_read(AT_FDCWD, path, text, sizeof(text)) <= 0 ? -1 : strtoll(text, NULL, 10);
}

static int64_t quota_v1(const char *directory)
{
    return millicpus(number(directory, "cpu.cfs_quota_us"), number(directory, "cpu.cfs_period_us"));
}

/* The smallest quota of a cgroup and its ancestors, at most `most`. */
static int64_t least_quota(const char *mount, const char *cgroup,
                           int64_t (*quota)(const char *directory), int64_t most)
{
    char path[4096];
    size_t root = (size_t)snprintf(path, sizeof(path), "%s", mount);
    snprintf(path + root, sizeof(path) - root, "%s", cgroup);
    for (;;) {
        int64_t found = quota(path);
        if (found > 0)
            most = MIN(most, found);
        char *slash = strrchr(path + root, '/');
        if (slash == NULL)
            return most;
        *slash = '\0';
    }
}

/* Whether "cpu" is in a list such as "cpu,cpuacct". */
static bool names_cpu(const char *controllers)
{
    for (const char *at = controllers; (at = strstr(at, "cpu")) != NULL; at++)
        if ((at == controllers || at[-1] == ',') && (at[3] == '\0' || at[3] == ','))
            return true;
    return false;
}

static int64_t quota_of_line(char *line, int64_t most)
{
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':');
    char *cgroup = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (cgroup == NULL)
        return most;
    *cgroup++ = '\0';
    if (controllers[1] == '\0') /* v2; beside v1 it has no cpu controller, and so no quota */
        return least_quota("/sys/fs/cgroup", cgroup, quota_v2, most);
    if (!names_cpu(controllers + 1))
        return most;
    char mount[128];
    snprintf(mount, sizeof(mount), "/sys/fs/cgroup/%.96s", controllers + 1);
    return least_quota(access(mount, F_OK) == 0 ? mount : "/sys/fs/cgroup/cpu", cgroup, quota_v1,
                       most);
}

int64_t sb_millicpus(void)
{
    int64_t most = by_affinity() * 1000;
    char line[4096];
    FILE *file = fopen("/proc/self/cgroup", "re");
    if (file == NULL)
        return most;
    while (fgets(line, sizeof(line), file) != NULL)
        most = quota_of_line(line, most);
    fclose(file);
    return most;
}
