/* The files of a verdict, in JSON. */
#ifndef SB_VERDICT_FILES_H
#define SB_VERDICT_FILES_H

#include "common/json_writer.h"
#include "sandbox.h"

/* Puts the members "files" and "files_left_out", if files were asked for. `flags`: enum
 * sb_json_flags. */
void put_files(struct json_writer *writer, const struct sb_verdict *verdict, unsigned flags);

/* About how many bytes they take. */
size_t files_json_size(const struct sb_verdict *verdict);

#endif
