/* The sentence for an exception, up to the exception's name, where its traceback is not shown. Who
 * reads a verdict back finds the name behind it. */
#ifndef COMMON_RAISED_H
#define COMMON_RAISED_H

#define RAISED "the script raised "

#endif
