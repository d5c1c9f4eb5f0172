/* Runs a filter outside the kernel: a call that waits for an answer must get the one that the
 * program stands for, and is reported by its name. */
#include <stddef.h>
#include <string.h>

#include "common/util.h"
#include "seccomp/seccomp.h"
#include "seccomp/seccomp_profile.h"

/* The instructions that seccomp_program.c and seccomp_locks.c write. */
uint32_t filter_run(const struct sock_fprog *program, const struct seccomp_data *data)
{
    uint32_t a = 0, x = 0;
    for (size_t pc = 0; pc < program->len; pc++) {
        const struct sock_filter *i = &program->filter[pc];
        bool taken = false;
        switch (i->code) {
        case BPF_LD | BPF_W | BPF_ABS:
            if (i->k > sizeof(*data) - sizeof(a))
                return SECCOMP_RET_KILL_PROCESS;
            memcpy(&a, (const char *)data + i->k, sizeof(a));
            continue;
        case BPF_LD | BPF_IMM:
            a = i->k;
            continue;
        case BPF_ALU | BPF_AND | BPF_K:
            a &= i->k;
            continue;
        case BPF_ALU | BPF_SUB | BPF_K:
            a -= i->k;
            continue;
        case BPF_ALU | BPF_LSH | BPF_X:
            a = x < 32 ? a << x : 0;
            continue;
        case BPF_MISC | BPF_TAX:
            x = a;
            continue;
        case BPF_RET | BPF_K:
            return i->k;
        case BPF_JMP | BPF_JA:
            pc += i->k;
            continue;
        case BPF_JMP | BPF_JEQ | BPF_K:
            taken = a == i->k;
            break;
        case BPF_JMP | BPF_JGE | BPF_K:
            taken = a >= i->k;
            break;
        case BPF_JMP | BPF_JSET | BPF_K:
            taken = (a & i->k) != 0;
            break;
        default:
            return SECCOMP_RET_KILL_PROCESS;
        }
        pc += taken ? i->jt : i->jf;
    }
    return SECCOMP_RET_KILL_PROCESS;
}

static bool holds(const struct seccomp_condition *condition, const struct seccomp_data *data)
{
    uint64_t argument = data->args[condition->arg];
    uint32_t value = (uint32_t)(condition->high ? argument >> 32 : argument) & condition->mask;
    for (size_t i = 0; i < condition->equals_count; i++)
        if (condition->equals[i] == value)
            return true;
    return false;
}

const struct seccomp_rule *seccomp_profile_decides(const struct seccomp_profile *profile,
                                                   const struct seccomp_data *data)
{
    for (size_t i = 0; i < profile->rules_count; i++) {
        const struct seccomp_rule *rule = &profile->rules[i];
        const struct seccomp_group *group = &profile->groups[rule->group];
        size_t met = 0;
        while (rule->nr == (uint32_t)data->nr && met < group->when_count &&
               holds(&group->when[met], data))
            met++;
        if (rule->nr == (uint32_t)data->nr && met == group->when_count)
            return rule;
    }
    return NULL;
}
