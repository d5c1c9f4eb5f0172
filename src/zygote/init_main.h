/* The only descriptors of init_main.c. */
#ifndef WARM_INIT_MAIN_H
#define WARM_INIT_MAIN_H

#define INIT_CONTROL 0 /* struct inside's */
#define INIT_REPORT 1
#define INIT_ENDED 2 /* a signalfd for SIGCHLD, which is blocked */

#endif
