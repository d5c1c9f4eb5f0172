/* A remedy fits the kernel that lacks something: none says to take a version that is running. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "common/util.h"
#include "core/remedy.h"

static const struct remedy_host old = {.version = LINUX(4, 19)};
static const struct remedy_host debian = {.version = LINUX(6, 1), .systemd = true, .cgroup2 = true};
static const struct remedy_host contained = {
    .version = LINUX(6, 1), .root = true, .container = CONTAINER_DOCKER};
static const struct remedy_host podman = {
    .version = LINUX(6, 1), .root = true, .container = CONTAINER_PODMAN};
static const struct remedy_host pod = {.version = LINUX(6, 1), .container = CONTAINER_KUBERNETES};

static void a_release_is_read(void **state)
{
    (void)state;
    assert_int_equal(remedy_version("6.1.0-18-amd64"), LINUX(6, 1));
    assert_int_equal(remedy_version("5.19.17"), LINUX(5, 19));
    assert_int_equal(remedy_version("10.0-rc1"), LINUX(10, 0));
    assert_int_equal(remedy_version("unknown"), 0);
    assert_true(LINUX(5, 19) < LINUX(6, 0) && LINUX(5, 4) < LINUX(5, 19));
}

static const char *const names[] = {
    "clone3",          "user namespace", "pid namespace",    "network namespace",
    "mount namespace", "ipc namespace",  "uts namespace",    "cgroup namespace",
    "/proc",           "mount_setattr",  "seccomp listener", "Landlock",
    "cgroup.kill",     "hostname",       "CAP_CHOWN"};
static const int errors[] = {ENOSYS, EPERM, EINVAL, ENOSPC, EAGAIN, EBUSY, EOPNOTSUPP, EACCES};

/* The newest version that a text names, as "Linux 5.19". */
static unsigned named_version(const char *text)
{
    const char *at = strstr(text, "Linux ");
    return at != NULL ? remedy_version(at + strlen("Linux ")) : 0;
}

static void no_remedy_asks_for_a_kernel_that_is_running(void **state)
{
    (void)state;
    for (unsigned version = LINUX(4, 0); version < LINUX(8, 0);
         version += version % 1000 == 30 ? 970 : 1)
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
            for (size_t j = 0; j < ARRAY_LEN(errors); j++) {
                const struct remedy_host host = {.version = version};
                const char *text = remedy_of(names[i], errors[j], &host);
                if (text == NULL || (named_version(text) != 0 && named_version(text) <= version))
                    fail_msg("%s, %s on %u: %s", names[i], strerror(errors[j]), version, text);
            }
}

static void the_cause_is_what_the_remedy_mends(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int error;
        const struct remedy_host *host;
        const char *says;
    } table[] = {
        {"clone3", ENOSYS, &old, "Linux 5.10"},
        {"clone3", ENOSYS, &debian, "filter"},
        {"clone3", EAGAIN, &debian, "ulimit -u"},
        {"user namespace", ENOSPC, &debian, "user.max_user_namespaces"},
        {"user namespace", EPERM, &debian, "chroot"},
        {"user namespace", EPERM, &contained, "seccomp=unconfined"},
        {"user namespace", EINVAL, &debian, "CONFIG_USER_NS"},
        {"pid namespace", ENOSPC, &debian, "max_pid_namespaces"},
        {"pid namespace", EINVAL, &debian, "CONFIG_PID_NS"},
        {"uts namespace", EPERM, &contained, "seccomp=unconfined"},
        {"/proc", EPERM, &contained, "systempaths"},
        {"/proc", EPERM, &podman, "unmask=ALL"},
        {"/proc", EPERM, &pod, "procMount"},
        {"/proc", EPERM, &debian, "unmount it"},
        {"/proc", EACCES, &contained, "apparmor=unconfined"},
        {"/proc", EACCES, &podman, "apparmor=unconfined"},
        {"/proc", EACCES, &pod, "appArmorProfile"},
        {"/proc", EACCES, &debian, "dmesg"},
        {"mount namespace", EACCES, &podman, "apparmor=unconfined"},
        {"hostname", EPERM, &debian, "ProtectHostname=no"},
        {"hostname", EPERM, &podman, "seccomp=FILE"},
        {"hostname", EPERM, &pod, "seccompProfile"},
        {"CAP_CHOWN", EPERM, &pod, "capabilities.add"},
        {"CAP_CHOWN", EPERM, &contained, "--cap-add CHOWN"},
        {"mount_setattr", ENOSYS, &old, "Linux 5.12"},
        {"mount_setattr", ENOSYS, &contained, "filter"},
        {"seccomp listener", EBUSY, &contained, "watches"},
        {"Landlock", ENOSYS, &old, "Linux 5.19"},
        {"Landlock", EOPNOTSUPP, &debian, "lsm=landlock"},
        {"Landlock", ENOSYS, &debian, "CONFIG_SECURITY_LANDLOCK"},
        {"cgroup.kill", ENOENT, &old, "Linux 5.14"},
        {"cgroup.kill", ENOENT, &debian, "mount cgroup v2"},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        const char *text = remedy_of(table[i].name, table[i].error, table[i].host);
        if (text == NULL || strstr(text, table[i].says) == NULL)
            fail_msg("%s, %s: %s", table[i].name, strerror(table[i].error), text);
    }
    assert_null(remedy_of("no such finding", EPERM, &debian));
}

static void what_follows_from_another_line_points_to_it(void **state)
{
    (void)state;
    const struct remedy_host host = {.version = LINUX(6, 1),
                                     .settings_forbid = true,
                                     .no_user_namespace = true,
                                     .no_cgroup = true};
    assert_string_equal(remedy_of("user namespace", EPERM, &host), "see the settings above");
    assert_string_equal(remedy_of("pid namespace", EPERM, &host), "see user namespace above");
    assert_string_equal(remedy_of("cgroup.kill", 0, &host), "see cgroup above");
    assert_string_equal(remedy_of_controller(true, true, &host), "see cgroup above");
}

static void cgroups_are_mended_where_they_are_broken(void **state)
{
    (void)state;
    static const struct {
        struct remedy_host host;
        const char *says;
    } rows[] = {
        {{.root = true, .container = CONTAINER_DOCKER}, "writable-cgroups=true"},
        {{.root = true, .container = CONTAINER_PODMAN, .cgroup2 = true}, "unmask=ALL"},
        {{.root = true, .container = CONTAINER_KUBERNETES}, "cgroup_writable"},
        {{.container = CONTAINER_KUBERNETES, .cgroup2 = true}, "cgroup_writable"},
        {{.container = CONTAINER_OTHER}, "writable"},
        {{.root = true, .cgroup2 = true}, "remount,rw"},
        {{.root = true, .systemd = true}, "systemd.unified_cgroup_hierarchy=1"},
        {{.root = true}, "mount -t cgroup2"},
        {{.systemd = true, .cgroup2 = true}, "systemd-run --user"},
        {{.systemd = true}, "systemd.unified_cgroup_hierarchy=1"},
        {{.cgroup2 = true}, "as root"},
        {{0}, "as root"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *text = remedy_of_cgroup(&rows[i].host);
        if (strstr(text, rows[i].says) == NULL ||
            (!rows[i].host.systemd && strstr(text, "systemd.") != NULL) ||
            (rows[i].host.container != CONTAINER_NONE && strstr(text, "mount -t") != NULL))
            fail_msg("%zu: %s", i, text);
    }
    const struct remedy_host root = {.root = true}, user = {0};
    assert_non_null(strstr(remedy_of_controller(false, false, &root), "built"));
    assert_non_null(strstr(remedy_of_controller(true, false, &root), "cgroup_disable="));
    assert_non_null(strstr(remedy_of_controller(true, true, &root), "subtree_control"));
    assert_non_null(strstr(remedy_of_controller(true, true, &contained), "container's host"));
    assert_non_null(strstr(remedy_of_controller(true, true, &user), "Delegate="));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_release_is_read),
        cmocka_unit_test(no_remedy_asks_for_a_kernel_that_is_running),
        cmocka_unit_test(the_cause_is_what_the_remedy_mends),
        cmocka_unit_test(what_follows_from_another_line_points_to_it),
        cmocka_unit_test(cgroups_are_mended_where_they_are_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
