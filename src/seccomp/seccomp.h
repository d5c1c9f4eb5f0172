/* The seccomp filter of a job, as the bytes of a BPF program: compiled from a profile (JSON) with
 * libseccomp, once; a job only loads them. */
#ifndef SB_SECCOMP_H
#define SB_SECCOMP_H

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "sandbox.h"

/* The program for this machine's architecture. Uses PROFILE with its ending ".json" replaced by
 * ".bpf" when that was made from these very bytes of the profile (its header holds their hash), and
 * compiles otherwise. The caller frees program->filter.
 *
 * With `report` (and ".report.bpf") the answer to calls whose group says "report" is
 * SECCOMP_RET_USER_NOTIF with the errno in its data: see filter_run. */
int filter_load(struct sock_fprog *program, const char *profile, bool report, struct sb_error *err);

/* Compiles the profile. `arch`: "x86_64", "aarch64", or NULL for this machine's. */
int filter_compile(struct sock_fprog *program, const char *profile, const char *arch, bool report,
                   struct sb_error *err);

/* Puts instructions in front of a program for this machine that refuse record locks (fcntl(2)) with
 * ENOLCK: for policies without writable files. The program is replaced, or unchanged on an error.
 */
int filter_refuse_locks(struct sock_fprog *program, struct sb_error *err);

/* The profile itself, for this machine. The caller calls seccomp_profile_free. */
struct seccomp_profile;
int filter_profile(struct seccomp_profile *parsed, const char *profile, struct sb_error *err);

/* The answer of a program to a call, as the kernel would run it. */
uint32_t filter_run(const struct sock_fprog *program, const struct seccomp_data *data);

/* Compiles for this machine and writes the cache file that filter_load looks for. Build time. */
int filter_precompile(const char *profile, const char *output, bool report, struct sb_error *err);

#endif
