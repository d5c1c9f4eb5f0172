/* The script's process of a warm start: python is in pid 1's memory already and goes on in a child.
 *
 * The two share that memory. A copy for each would cost both a second time what forking them from
 * the zygote has cost, and again when they end: a third of all that a small job costs. So a script
 * can do with its pid 1 what it likes. That gives it nothing: pid 1 has the script's ids, no
 * capability, the script's filter before the script's first instruction, and no descriptor but the
 * two that its end is told with; all clocks and limits are the supervisor's, who believes nothing
 * that a warm job's pid 1 says but how the script ended (supervise.c). */
#ifndef WARM_START_SCRIPT_H
#define WARM_START_SCRIPT_H

#include "inside.h"

/* Once, in the zygote. */
void start_script_prepare(void);
/* struct inside's start_script. */
int start_script(struct inside *in);

#endif
