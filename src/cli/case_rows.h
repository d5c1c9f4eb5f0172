/* How a case ended, for people and for programs that read JUnit's XML. */
#ifndef CLI_CASE_ROWS_H
#define CLI_CASE_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "common/cases.h"

/* What there is to say of a case. */
struct case_row {
    size_t index;
    const struct graded_case *one;
    const struct sb_verdict *verdict; /* NULL: it has not run to its end */
    enum case_grade grade;
    const char *why; /* of the latter */
};

/* The line above the table's rows. */
extern const char case_row_head[];

/* A row of the table, with its newline. From malloc; NULL: out of memory. */
char *case_row_text(const struct case_row *row);

/* A testcase element of JUnit's XML; `suite` is its class name. Whatever the script wrote, the
 * result is well-formed. From malloc; NULL: out of memory. */
char *case_row_xml(const struct case_row *row, const char *suite);

/* The element around them, up to its ">". */
struct case_sums {
    size_t tests, failures, errors, skipped;
    int64_t time_us; /* of all together */
};
char *case_rows_xml_head(const char *suite, const struct case_sums *sums);

#endif
