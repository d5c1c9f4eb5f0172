/* The floor under every sandbox of this kind: all seven namespaces, the mounts that sandbox-run
 * makes, pivot_root, exec. No cgroup, no filter, no limits, nothing dropped, no pid 1 of its own:
 * what is slower than this is the price of more enforcement, or waste.
 *
 *     floor ROOTFS PROGRAM [ARGS…]
 *
 * For tests/bench/bench only. It is no sandbox: what it runs keeps every capability in its
 * namespaces. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { JOB_ID = 1000, HOST_ID = 300000 };

static void check(long result, const char *what)
{
    if (result >= 0)
        return;
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    _exit(125);
}

static void write_file(pid_t pid, const char *name, const char *text)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    check(fd, path);
    check(write(fd, text, strlen(text)), path);
    close(fd);
}

static void write_maps(pid_t pid)
{
    char map[64];
    uid_t uid = geteuid() == 0 ? HOST_ID : geteuid();
    gid_t gid = geteuid() == 0 ? HOST_ID : getegid();
    write_file(pid, "setgroups", "deny");
    snprintf(map, sizeof(map), "%d %u 1", JOB_ID, (unsigned)uid);
    write_file(pid, "uid_map", map);
    snprintf(map, sizeof(map), "%d %u 1", JOB_ID, (unsigned)gid);
    write_file(pid, "gid_map", map);
}

static void attach_root(const char *rootfs)
{
    check(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "mount / private");
    check(mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL), "mount root");
    check(mount(NULL, rootfs, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL),
          "mount root read-only");
    check(chdir(rootfs), "chdir to root");
}

/* One tmpfs for all that can be written. It is mounted on the old root's /tmp, which pivot_root
 * takes away; what the job sees are its subdirectories. */
static void mount_tmp(void)
{
    static const char *const places[][2] = {{"/tmp/tmp", "tmp"}, {"/tmp/work", "work"}};
    check(mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "size=64m,nr_inodes=4096,mode=755"),
          "mount tmpfs");
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        check(mkdir(places[i][0], 0777), places[i][0]);
        check(mount(places[i][0], places[i][1], NULL, MS_BIND, NULL), places[i][1]);
    }
}

static void mount_dev(void)
{
    static const char *const nodes[] = {"null", "zero", "full", "random", "urandom"};
    check(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "size=64k,nr_inodes=32,mode=755"),
          "mount dev");
    for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
        char host[32], job[32];
        snprintf(host, sizeof(host), "/dev/%s", nodes[i]);
        snprintf(job, sizeof(job), "dev/%s", nodes[i]);
        int fd = open(job, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
        check(fd, job);
        close(fd);
        check(mount(host, job, NULL, MS_BIND, NULL), job);
    }
    check(mkdir("/tmp/shm", 0777), "/tmp/shm");
    check(mkdir("dev/shm", 0755), "dev/shm");
    check(mount("/tmp/shm", "dev/shm", NULL, MS_BIND, NULL), "mount dev/shm");
}

static void inside(const char *rootfs, char **argv, int go)
{
    char byte;
    if (read(go, &byte, 1) != 1)
        _exit(125);
    check(setsid(), "setsid");
    attach_root(rootfs); /* as the caller still: the way there may be the caller's alone */
    check(setresgid(JOB_ID, JOB_ID, JOB_ID), "setresgid");
    check(setresuid(JOB_ID, JOB_ID, JOB_ID), "setresuid");
    check(mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "subset=pid"),
          "mount proc");
    mount_tmp();
    mount_dev();
    check(syscall(SYS_pivot_root, ".", "."), "pivot_root");
    check(umount2(".", MNT_DETACH), "umount old root");
    check(chdir("/work"), "chdir /work");
    check(sethostname("sandbox", 7), "sethostname");
    char *env[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/work", "LANG=C.UTF-8", NULL};
    execve(argv[0], argv, env);
    check(-1, argv[0]);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fputs("usage: floor ROOTFS PROGRAM [ARGS…]\n", stderr);
        return 125;
    }
    int go[2];
    check(pipe2(go, O_CLOEXEC), "pipe");
    struct clone_args args = {
        .flags = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC |
                 CLONE_NEWUTS | CLONE_NEWCGROUP,
        .exit_signal = SIGCHLD,
    };
    pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
    check(pid, "clone3");
    if (pid == 0)
        inside(argv[1], argv + 2, go[0]);
    write_maps(pid);
    check(write(go[1], "", 1), "let in");
    int status;
    check(waitpid(pid, &status, 0), "waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
