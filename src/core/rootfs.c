/* Reads the record of a root file system, and checks what jobs need of it. See rootfs.h. */
#include "core/rootfs.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/error.h"
#include "common/json_file.h"
#include "common/util.h"

/* Mount points must be directories: through a link a job's mount would land elsewhere. */
static int check_mount_points(const struct rootfs *rootfs, struct sb_error *err)
{
    static const char *const points[] = {"proc", "dev", "tmp", "work"};
    _cleanup_close_ int root = open(rootfs->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < ARRAY_LEN(points); i++) {
        struct stat info;
        if (fstatat(root, points[i], &info, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(info.st_mode))
            return sb_fail(err, "rootfs", 0,
                           "%s has no directory /%s to mount on; see: sandbox-rootfs check %s",
                           rootfs->path, points[i], rootfs->path);
    }
    return 0;
}

static const char *text_of(struct json_object *record, const char *key)
{
    struct json_object *value;
    return json_object_object_get_ex(record, key, &value) ? json_object_get_string(value) : NULL;
}

static int number_of(struct json_object *record, const char *key)
{
    struct json_object *value;
    return json_object_object_get_ex(record, key, &value) ? json_object_get_int(value) : -1;
}

static int read_record(struct rootfs *rootfs, struct json_object *record, struct sb_error *err)
{
    if (number_of(record, "format") != ROOTFS_FORMAT ||
        number_of(record, "runner") != RUNNER_PROTOCOL)
        return sb_fail(
            err, "rootfs", 0,
            "%s was made for another version of sandbox-run; bring it up to date: sandbox-rootfs "
            "refresh %s",
            rootfs->path, rootfs->path);
    const char *python = text_of(record, "python"), *version = text_of(record, "version");
    if (python == NULL || python[0] != '/' || version == NULL)
        return sb_fail(err, "rootfs", 0,
                       "%s/" ROOTFS_RECORD " does not name a python; make it again: sandbox-rootfs "
                       "refresh %s",
                       rootfs->path, rootfs->path);
    if (rootfs->python == NULL)
        rootfs->python = strdup(python);
    rootfs->version = strdup(version);
    if (rootfs->python == NULL || rootfs->version == NULL)
        return sb_fail(err, "rootfs", ENOMEM, "out of memory (the root file system's record)");
    return 0;
}

int rootfs_open(struct rootfs *rootfs, const char *path, const char *python, struct sb_error *err)
{
    *rootfs = (struct rootfs){0};
    if (path == NULL)
        path = SB_ROOTFS;
    rootfs->path = realpath(path, NULL);
    if (rootfs->path == NULL && errno == EACCES)
        return sb_fail(err, "rootfs", errno,
                       "this user may not enter the directories on the way to %s: %m; put the root "
                       "file system "
                       "elsewhere and name it with --rootfs or SANDBOX_ROOTFS",
                       path);
    if (rootfs->path == NULL)
        return sb_fail(
            err, "rootfs", errno,
            "no root file system at %s: %m; make one with sandbox-rootfs build %s, or name "
            "another with --rootfs or SANDBOX_ROOTFS",
            path, path);
    if (python != NULL) {
        if (python[0] != '/')
            return sb_fail_field(
                err, "rootfs", "python",
                "--python %s is not an absolute path in the root file system: give one "
                "such as /usr/bin/python3",
                python);
        rootfs->python = strdup(python);
    }
    char file[PATH_MAX];
    snprintf(file, sizeof(file), "%s/" ROOTFS_RECORD, rootfs->path);
    if (access(file, F_OK) < 0)
        return sb_fail(err, "rootfs", errno,
                       "%s was not made by sandbox-rootfs (no " ROOTFS_RECORD
                       "): %m; make one: sandbox-rootfs build DIR",
                       rootfs->path);
    struct json_object *record = json_file_load(file, "rootfs", err);
    if (record == NULL)
        return -1;
    int result = read_record(rootfs, record, err);
    json_object_put(record);
    return result < 0 ? -1 : check_mount_points(rootfs, err);
}

int rootfs_check_modes(const struct rootfs *rootfs, struct sb_error *err)
{
    struct stat top, runner;
    char file[PATH_MAX];
    snprintf(file, sizeof(file), "%s" ROOTFS_RUNNER, rootfs->path);
    if (stat(rootfs->path, &top) < 0 || stat(file, &runner) < 0 ||
        ((top.st_mode & (S_IROTH | S_IXOTH)) == (S_IROTH | S_IXOTH) && runner.st_mode & S_IROTH))
        return 0; /* other checks report what is missing */
    return sb_fail(err, "rootfs", 0,
                   "%s is closed to jobs, each of which is another user: chmod -R o+rX %s",
                   rootfs->path, rootfs->path);
}

int rootfs_check_mounts(const struct rootfs *rootfs, const struct sb_policy *policy,
                        struct sb_error *err)
{
    for (size_t i = 0; i < policy->mounts_count; i++) {
        const struct policy_mount *mount = &policy->mounts[i];
        char target[PATH_MAX];
        snprintf(target, sizeof(target), "%s%s", rootfs->path, mount->target);
        if (access(mount->source, F_OK) < 0)
            return sb_fail_field(err, "mounts", "mounts",
                                 "policy %s: the mount's source %s cannot be used: %s; make it, or "
                                 "take it out of the policy",
                                 policy->name, mount->source, strerror(errno));
        if (access(target, F_OK) < 0)
            return sb_fail_field(err, "mounts", "mounts",
                                 "policy %s: the mount's target %s is not in the root file system; "
                                 "make it: mkdir -p %s && sandbox-rootfs refresh --force %s",
                                 policy->name, mount->target, target, rootfs->path);
    }
    return 0;
}

void rootfs_close(struct rootfs *rootfs)
{
    free(rootfs->path);
    free(rootfs->python);
    free(rootfs->version);
    *rootfs = (struct rootfs){0};
}
