/* The objects that a script leaves behind: whether their end would have a visible effect. */
#ifndef WARM_REMAINS_H
#define WARM_REMAINS_H

#include "zygote/python_api.h"

/* A Python method: (objects, codes, calls_back) → whether one of these objects may run code when it
 * dies. `objects` is the list of gc.get_objects(); `codes` is a tuple of the code of our own
 * generators among them; calls_back(reference) says whether a weak reference has a callback with an
 * effect. It only reads, since writes would copy pages. */
PyObject *remains_may_show(PyObject *module, PyObject *arguments);
#define REMAINS_MAY_SHOW                                                                           \
    {                                                                                              \
        "may_show", remains_may_show, METH_VARARGS,                                                \
            "(objects, codes, calls_back): whether one of them may do something when it dies."     \
    }

#endif
