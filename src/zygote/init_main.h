/* The descriptors that init_main.c is executed with, and no others. */
#ifndef WARM_INIT_MAIN_H
#define WARM_INIT_MAIN_H

#define INIT_CONTROL 0 /* struct inside's */
#define INIT_REPORT 1
#define INIT_ENDED 2 /* a signalfd for SIGCHLD, which is blocked */

#endif
