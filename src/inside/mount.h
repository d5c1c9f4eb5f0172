/* Mount calls that libc 2.36 has no better form for, and their fallbacks on older kernels. */
#ifndef SB_MOUNT_H
#define SB_MOUNT_H

#include <stdint.h>

/* Attributes of struct mount_attr (mount_setattr(2)). */
#define MOUNT_READ_ONLY UINT64_C(0x1)
#define MOUNT_NOSUID UINT64_C(0x2)
#define MOUNT_NODEV UINT64_C(0x4)
#define MOUNT_NOEXEC UINT64_C(0x8)

/* Sets attributes on the mount whose root is at `path` and on all below it. On kernels before 5.12
 * it remounts them one after the other, as mountinfo lists them. */
int mount_restrict(const char *path, uint64_t attributes);

/* Binds the tree at `source`, with the mounts below it, to the O_PATH descriptor `target`. */
int mount_bind_tree(const char *source, int target);

/* The fallback of mount_restrict (remount.c). */
int mount_remount(const char *path, uint64_t attributes);

#endif
