/* For functions that do not return, and may run on a stack that we allocated (errand_run): before
 * such a call the address sanitizer clears its records of the stack, and warns if it does not know
 * the stack. */
#ifndef SB_NO_RETURN_H
#define SB_NO_RETURN_H

#ifdef __SANITIZE_ADDRESS__
#define NO_RETURN
#else
#define NO_RETURN _Noreturn
#endif

#endif
