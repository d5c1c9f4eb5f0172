/* For functions that do not return, and may run on a stack of our own making (uids_act): before a
 * call of one the address sanitizer clears its notes of the stack, and warns where it does not know
 * that. */
#ifndef SB_NO_RETURN_H
#define SB_NO_RETURN_H

#ifdef __SANITIZE_ADDRESS__
#define NO_RETURN
#else
#define NO_RETURN _Noreturn
#endif

#endif
