#include "sandbox.h"
int sb_doctor(const struct sb_options *options, const char *policy_directory,
              void (*on_finding)(void *user, const struct sb_finding *finding), void *user)
{
    (void)options, (void)policy_directory, (void)on_finding, (void)user;
    return 0;
}
