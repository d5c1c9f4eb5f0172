/* The command line as a struct. The usage text and the parser come from one table of options. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdio.h>

#include "sandbox.h"

enum action {
    ACTION_RUN,
    ACTION_DOCTOR,
    ACTION_SELFTEST,
    ACTION_LIST_POLICIES,
    ACTION_PRINT_POLICY,
    ACTION_VERSION,
    ACTION_HELP
};

/* Strings are the command line's and the environment's own; only the arrays are allocated. */
enum start_kind {
    START_AS_IT_PAYS, /* cold for one run, warm for many cases */
    START_COLD,
    START_WARM, /* as a service does */
};

struct options {
    enum action action;
    const char *action_name;      /* the option that asked for the action, for messages */
    const char *policy;           /* name or file */
    const char *policy_directory; /* NULL: the configured one */
    struct sb_options sandbox;
    struct sb_limits limits;
    const char **files; /* NULL-terminated */
    const char **env;   /* NULL-terminated */
    const char *call;
    const char *module; /* of -m, else NULL */
    const char *meta;
    enum start_kind start;
    const char *via;   /* address of a service, NULL: run here */
    const char *token; /* for it, of the environment, or NULL */
    bool merge_stderr;
    bool notebook;
    const char *collect;        /* directory for the script's files, or NULL */
    const char **collect_globs; /* NULL-terminated */
    bool force;                 /* replace files there */
    const char *cases;          /* file of --cases, or NULL: the script runs once */
    const char *junit;          /* file for JUnit's XML, or NULL */
    int64_t jobs;               /* cases side by side; 0: by the number of CPUs */
    bool json;
    bool quiet;
    const char *code;        /* of -c, else NULL */
    const char *script;      /* path, or "-" for stdin; "-c" with code, "-m" with a module */
    const char *const *args; /* sys.argv[1:] */
};

/* Parses the command line, on top of what the environment says. */
int options_parse(struct options *options, int argc, char **argv, struct sb_error *err);
void options_free(struct options *options);

void options_usage(FILE *file);

#endif
