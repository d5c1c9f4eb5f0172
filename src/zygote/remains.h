/* What a script leaves behind when it is done: whether something would be seen of its end. */
#ifndef WARM_REMAINS_H
#define WARM_REMAINS_H

#include "zygote/python_api.h"

/* As a method of Python's: (objects, codes, calls_back) → whether one of these objects may do
 * something when it dies. `objects` is a list of all that gc.get_objects() gives; `codes` is a
 * tuple of the code of the generators of ours that are among them; calls_back(reference) says
 * whether a weak reference calls something that matters. Only looks: what is written to would be
 * copied. */
PyObject *remains_may_show(PyObject *module, PyObject *arguments);
#define REMAINS_MAY_SHOW                                                                           \
    {                                                                                              \
        "may_show", remains_may_show, METH_VARARGS,                                                \
            "(objects, codes, calls_back): whether one of them may do something when it dies."     \
    }

#endif
