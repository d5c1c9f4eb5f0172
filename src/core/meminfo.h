/* How much memory the host has left. */
#ifndef SB_MEMINFO_H
#define SB_MEMINFO_H

#include <stdint.h>

/* MemAvailable of /proc/meminfo in bytes, or an estimate where a service manager hides the file
 * (ProcSubset=pid, systemd.exec(5)); −1: not known. *fd is −1 at first; the caller closes it. */
int64_t meminfo_available(int *fd);

#endif
