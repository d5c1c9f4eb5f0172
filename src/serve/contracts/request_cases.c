/* The fields "cases" and "stop" of POST /run: one program, run once for each case. */
#include "serve/contracts/request_fields.h"

int request_read_cases(struct request *request, const char *path, struct json_object *value,
                       struct sb_error *err)
{
    return cases_read(&request->cases, path, value, err);
}

/* Behind "cases" in the table. */
int request_read_stop(struct request *request, const char *path, struct json_object *value,
                      struct sb_error *err)
{
    if (request->cases.count == 0)
        return bad_field(err, path, "is about \"cases\": give these, too");
    return cases_read_stop(&request->cases, path, value, err);
}

int request_check_cases(const struct request *request, struct sb_error *err)
{
    return cases_check(&request->cases, &request->job, sb_check, err);
}

int request_case(struct request *made, const struct request *request, size_t index)
{
    *made = (struct request){
        .contract = request->contract, .endpoint = request->endpoint, .base64 = request->base64};
    if (case_job_make(&made->made, &request->job, &request->cases.cases[index]) < 0)
        return -1;
    made->job = made->made.job;
    return 0;
}
