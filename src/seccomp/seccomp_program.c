/* Writes a profile as a BPF program. libseccomp resolves the names; the program is written here,
 * because every job pays for loading it: the kernel runs it once for each call number that exists
 * (to learn which are always allowed), translates it and places it. With libseccomp's programs that
 * takes 350 µs, or 145 µs when it makes a binary tree; this tree over ranges of numbers takes under
 * 60 µs. And where the default is ENOSYS, libseccomp has no way to say "allow when these bits are
 * clear, EPERM otherwise". The unit test compares the two, call by call.
 *
 * Instructions are written from the last to the first: jumps in BPF go forward, so each target is
 * known when the jump to it is written. Positions count from the end.
 *
 * Arguments are compared in their low 32 bits alone, as the kernel reads them: a filter that
 * compared 64 could be bypassed with high bits set (CVE-2019-10063, CVE-2023-28100). */
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>

#include "common/error.h"
#include "common/util.h"
#include "seccomp/seccomp_profile.h"

enum {
    FARTHEST_JUMP = 255, /* the offsets of conditional jumps have eight bits */
    MAX_DECISIONS = 256,
    MAX_INTERVALS = 1024,
    MAX_SINGLES = 3, /* of a segment: they are compared one after the other */
    WORD_BITS = 32,
    WORD_PAYS = 7, /* from so many values on, one test of a bit is shorter than comparisons */
    /* Call numbers below this are those that the kernel tries at load; the tree is balanced for
     * them. Its table ends near 470 today. */
    TABLE_END = 480,
};

#define X32_SYSCALL_BIT 0x40000000u
#define NO_SYSCALL 0xffffffffu /* −1: what a tracer writes to skip a call. x32 has no such call */

/* How a call is decided: groups with conditions, tried in this order, then an action. */
struct decision {
    size_t groups[8];
    size_t groups_count;
    uint32_t otherwise;
    size_t position; /* where it was last written, when `written` */
    bool written;
};

/* Numbers from `first` up to the next interval's have the same decision. */
struct interval {
    uint32_t first;
    size_t decision;
};

/* Intervals from `low` to before `high`, of which all but single numbers have the common decision.
 */
struct segment {
    size_t low, high;
    size_t common;
};

struct builder {
    const struct seccomp_profile *profile;
    bool report;
    struct decision decisions[MAX_DECISIONS];
    size_t decisions_count;
    struct interval intervals[MAX_INTERVALS];
    size_t intervals_count;
    struct segment segments[MAX_INTERVALS];
    size_t segments_count;
    struct sock_filter code[BPF_MAXINSNS]; /* last instruction first */
    size_t count;
    bool too_long;
};

static size_t emit(struct builder *b, uint16_t code, size_t if_true, size_t if_false, uint32_t k)
{
    if (b->count == BPF_MAXINSNS || if_true > FARTHEST_JUMP || if_false > FARTHEST_JUMP) {
        b->too_long = true;
        return 0;
    }
    b->code[b->count] = (struct sock_filter){code, (uint8_t)if_true, (uint8_t)if_false, k};
    return b->count++;
}

/* The offset by which the instruction that is written `room` instructions from now reaches there.
 */
static size_t offset(const struct builder *b, size_t position, size_t room)
{
    return b->count + room - position - 1;
}

/* A position with the same effect that the next `room` instructions can jump to. */
static size_t near_enough(struct builder *b, size_t position, size_t room)
{
    if (offset(b, position, room) <= FARTHEST_JUMP)
        return position;
    return emit(b, BPF_JMP | BPF_JA, 0, 0, (uint32_t)offset(b, position, 0));
}

static size_t emit_jump(struct builder *b, uint16_t test, uint32_t k, size_t if_true,
                        size_t if_false)
{
    if_false = near_enough(b, if_false, 1);
    if_true = near_enough(b, if_true, 0);
    return emit(b, BPF_JMP | test | BPF_K, offset(b, if_true, 0), offset(b, if_false, 0), k);
}

/* A copy that was written already and can still be reached is used again: each instruction costs
 * every job 0.2 µs. */
static size_t emit_return(struct builder *b, uint32_t action)
{
    for (size_t i = b->count; i-- > 0 && offset(b, i, SECCOMP_MAX_VALUES + 4) <= FARTHEST_JUMP;)
        if (b->code[i].code == (BPF_RET | BPF_K) && b->code[i].k == action)
            return i;
    return emit(b, BPF_RET | BPF_K, 0, 0, action);
}

/* A refused call that is to be reported waits for the supervisor, who answers it with the errno
 * that is in the data: the kernel does not look at those of this action. */
static uint32_t action_of(const struct builder *b, const struct seccomp_group *group)
{
    return b->report && group->report.on
               ? SECCOMP_RET_USER_NOTIF | (group->action & SECCOMP_RET_DATA)
               : group->action;
}

/* Half of an argument; x86-64 and aarch64 (as Linux runs it) are little-endian. */
static uint32_t arg_offset(const struct seccomp_condition *condition)
{
    return (uint32_t)(offsetof(struct seccomp_data, args) + condition->arg * sizeof(uint64_t) +
                      (condition->high ? sizeof(uint32_t) : 0));
}

/* Loads the part of an argument that a condition looks at. */
static size_t emit_load(struct builder *b, const struct seccomp_condition *condition)
{
    if (condition->mask != UINT32_MAX)
        emit(b, BPF_ALU | BPF_AND | BPF_K, 0, 0, condition->mask);
    return emit(b, BPF_LD | BPF_W | BPF_ABS, 0, 0, arg_offset(condition));
}

/* Values that lie within 32 of each other, as the bits of one word: first + n is bit n. */
struct word {
    uint32_t first, bits;
};

/* Is 1 << (value - first) one of the bits? The value is lost by that. */
static size_t emit_word(struct builder *b, const struct word *word, size_t if_true, size_t if_false)
{
    emit_jump(b, BPF_JSET, word->bits, if_true, if_false);
    emit(b, BPF_ALU | BPF_LSH | BPF_X, 0, 0, 0);
    emit(b, BPF_LD | BPF_IMM, 0, 0, 1);
    size_t shift = emit(b, BPF_MISC | BPF_TAX, 0, 0, 0);
    size_t position = emit_jump(b, BPF_JGE, WORD_BITS, if_false, shift);
    return word->first == 0 ? position : emit(b, BPF_ALU | BPF_SUB | BPF_K, 0, 0, word->first);
}

static int by_value(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* Takes the values that fill a word well out of the (ordered) others. */
static size_t take_words(uint32_t *values, size_t *count, struct word *words)
{
    size_t words_count = 0, kept = 0;
    for (size_t i = 0, next; i < *count; i = next) {
        uint32_t first = values[i] < WORD_BITS ? 0 : values[i];
        struct word word = {.first = first};
        for (next = i; next < *count && values[next] - first < WORD_BITS; next++)
            word.bits |= UINT32_C(1) << (values[next] - first);
        if (next - i >= WORD_PAYS) {
            words[words_count++] = word;
        } else { /* a word that begins with the next value may be fuller */
            next = i + 1;
            values[kept++] = values[i];
        }
    }
    *count = kept;
    return words_count;
}

/* Compares values one by one, then tests those that share a word, for which the argument is loaded
 * again. */
static size_t emit_condition(struct builder *b, const struct seccomp_condition *condition,
                             size_t if_true, size_t if_false)
{
    uint32_t values[SECCOMP_MAX_VALUES];
    struct word words[SECCOMP_MAX_VALUES / WORD_PAYS];
    size_t count = condition->equals_count;
    memcpy(values, condition->equals, count * sizeof(*values));
    qsort(values, count, sizeof(*values), by_value);
    size_t words_count = take_words(values, &count, words);
    for (size_t i = words_count; i-- > 0;) {
        if_false = emit_word(b, &words[i], if_true, if_false);
        if (i > 0)
            if_false = emit_load(b, condition);
    }
    for (size_t i = count; i-- > 0;)
        if_false = emit_jump(b, BPF_JEQ, values[i], if_true, if_false);
    return emit_load(b, condition);
}

static size_t emit_decision(struct builder *b, struct decision *decision)
{
    /* One copy serves all that can reach it: calls with the same rule share it. */
    if (decision->written && offset(b, decision->position, 2) <= FARTHEST_JUMP)
        return decision->position;
    size_t position = emit_return(b, decision->otherwise);
    for (size_t g = decision->groups_count; g-- > 0;) {
        const struct seccomp_group *group = &b->profile->groups[decision->groups[g]];
        size_t if_false = position;
        position = emit_return(b, action_of(b, group));
        for (size_t c = group->when_count; c-- > 0;)
            position = emit_condition(b, &group->when[c], position, if_false);
    }
    decision->position = position;
    decision->written = true;
    return position;
}

static size_t weight(const struct builder *b, const struct segment *segment)
{
    uint32_t first = b->intervals[segment->low].first;
    uint32_t next =
        segment->high < b->intervals_count ? b->intervals[segment->high].first : TABLE_END;
    if (next > TABLE_END)
        next = TABLE_END;
    return next > first ? next - first : 1;
}

/* Where to divide so that both sides have about the same number of calls. */
static size_t middle(const struct builder *b, size_t low, size_t high)
{
    size_t total = 0, left = weight(b, &b->segments[low]), split = low + 1;
    for (size_t i = low; i < high; i++)
        total += weight(b, &b->segments[i]);
    while (split < high - 1 && 2 * left + weight(b, &b->segments[split]) <= total)
        left += weight(b, &b->segments[split++]);
    return split;
}

/* Compares the single numbers, then gives the decision common to the rest. */
static size_t emit_segment(struct builder *b, const struct segment *segment)
{
    /* All answers first, so that the comparisons follow one another without jumps. */
    for (size_t i = segment->low; i < segment->high; i++)
        emit_decision(b, &b->decisions[b->intervals[i].decision]);
    size_t position = emit_decision(b, &b->decisions[segment->common]);
    for (size_t i = segment->high; i-- > segment->low;) {
        const struct interval *interval = &b->intervals[i];
        if (interval->decision != segment->common)
            position = emit_jump(b, BPF_JEQ, interval->first,
                                 emit_decision(b, &b->decisions[interval->decision]), position);
    }
    return position;
}

static size_t emit_tree(struct builder *b, size_t low, size_t high)
{
    if (high - low == 1)
        return emit_segment(b, &b->segments[low]);
    size_t split = middle(b, low, high);
    size_t above = emit_tree(b, split, high);
    size_t below = emit_tree(b, low, split);
    return emit_jump(b, BPF_JGE, b->intervals[b->segments[split].low].first, above, below);
}

/* How many single numbers of the intervals have another decision than this; too many if an interval
 * of several numbers has one. */
static size_t single_numbers(const struct builder *b, size_t low, size_t high, size_t common)
{
    size_t count = 0;
    for (size_t i = low; i < high; i++) {
        if (b->intervals[i].decision == common)
            continue;
        count++;
        if (i + 1 == b->intervals_count || b->intervals[i + 1].first - b->intervals[i].first != 1)
            return SIZE_MAX;
    }
    return count;
}

/* Groups the intervals so that the fewest comparisons do: one to find a segment, and one for each
 * of its single numbers. A long row of allowed calls with three others in it takes four that way,
 * and seven as seven intervals. Each interval's best predecessor is found from the left. */
static void group(struct builder *b)
{
    size_t cost[MAX_INTERVALS + 1] = {0};
    struct segment last[MAX_INTERVALS + 1] = {{0}};
    for (size_t high = 1; high <= b->intervals_count; high++) {
        cost[high] = SIZE_MAX;
        for (size_t low = high; low-- > 0 && high - low <= 2 * MAX_SINGLES + 1;) {
            /* The decision that most of them share is the first's or the second's. */
            for (size_t i = low; i < high && i < low + 2; i++) {
                size_t common = b->intervals[i].decision;
                size_t singles = single_numbers(b, low, high, common);
                if (singles <= MAX_SINGLES && cost[low] + singles + 1 < cost[high]) {
                    cost[high] = cost[low] + singles + 1;
                    last[high] = (struct segment){.low = low, .high = high, .common = common};
                }
            }
        }
    }
    for (size_t high = b->intervals_count; high > 0; high = last[high].low)
        b->segments[b->segments_count++] = last[high];
    for (size_t i = 0; i < b->segments_count / 2; i++) {
        struct segment swapped = b->segments[i];
        b->segments[i] = b->segments[b->segments_count - 1 - i];
        b->segments[b->segments_count - 1 - i] = swapped;
    }
}

static bool same_effect(const struct decision *x, const struct decision *y)
{
    return x->otherwise == y->otherwise && x->groups_count == y->groups_count &&
           memcmp(x->groups, y->groups, x->groups_count * sizeof(x->groups[0])) == 0;
}

/* Begins an interval at `first`, unless the one before it has the same decision. */
static int add_interval(struct builder *b, uint32_t first, const struct decision *decision)
{
    size_t i = 0;
    while (i < b->decisions_count && !same_effect(&b->decisions[i], decision))
        i++;
    if (i == MAX_DECISIONS || b->intervals_count == MAX_INTERVALS)
        return -1;
    if (i == b->decisions_count)
        b->decisions[b->decisions_count++] = *decision;
    if (b->intervals_count > 0 && b->intervals[b->intervals_count - 1].first == first)
        b->intervals_count--; /* it was the gap before a number that has a rule of its own */
    if (b->intervals_count == 0 || b->intervals[b->intervals_count - 1].decision != i)
        b->intervals[b->intervals_count++] = (struct interval){.first = first, .decision = i};
    return 0;
}

/* Divides all numbers from 0 to 2³² − 1 into intervals. */
static int divide(struct builder *b)
{
    const struct seccomp_profile *profile = b->profile;
    const struct decision unnamed = {.otherwise = profile->default_action};
    int result = add_interval(b, 0, &unnamed);
    for (size_t i = 0; i < profile->rules_count && result == 0;) {
        uint32_t nr = profile->rules[i].nr;
        struct decision decision = unnamed;
        for (; i < profile->rules_count && profile->rules[i].nr == nr; i++) {
            size_t group = profile->rules[i].group;
            if (profile->groups[group].when_count == 0)
                decision.otherwise = action_of(b, &profile->groups[group]);
            else if (decision.groups_count < ARRAY_LEN(decision.groups))
                decision.groups[decision.groups_count++] = group;
            else
                return -1;
        }
        result = add_interval(b, nr, &decision);
        if (result == 0)
            result = add_interval(b, nr + 1, &unnamed);
    }
    if (result == 0 && profile->arch == AUDIT_ARCH_X86_64) {
        /* x32: the same calls with other layouts of their arguments, through the same entry. */
        const struct decision killed = {.otherwise = SECCOMP_RET_KILL_PROCESS};
        result = add_interval(b, X32_SYSCALL_BIT, &killed);
        if (result == 0)
            result = add_interval(b, NO_SYSCALL, &unnamed);
    }
    return result;
}

/* The architecture first: numbers mean nothing without it (int 0x80 and AArch32 come this way). */
static void emit_program(struct builder *b)
{
    group(b);
    size_t tree = emit_tree(b, 0, b->segments_count);
    if (offset(b, tree, 0) != 0)
        emit(b, BPF_JMP | BPF_JA, 0, 0, (uint32_t)offset(b, tree, 0));
    emit(b, BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr));
    emit(b, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_KILL_PROCESS);
    emit(b, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, b->profile->arch);
    emit(b, BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, arch));
}

int seccomp_program_build(struct sock_fprog *program, const struct seccomp_profile *profile,
                          bool report, const char *file, struct sb_error *err)
{
    *program = (struct sock_fprog){0};
    _cleanup_free_ struct builder *b = calloc(1, sizeof(*b));
    if (b == NULL)
        return sb_fail(err, "seccomp", errno, "%s: cannot be compiled", file);
    b->profile = profile;
    b->report = report;
    if (divide(b) == 0)
        emit_program(b);
    else
        b->too_long = true;
    if (b->too_long)
        return sb_fail(err, "seccomp", 0,
                       "%s: the program would be longer than the kernel's %d instructions: use "
                       "fewer conditions",
                       file, BPF_MAXINSNS);
    program->filter = calloc(b->count, sizeof(*program->filter));
    if (program->filter == NULL)
        return sb_fail(err, "seccomp", errno, "%s: cannot be compiled", file);
    program->len = (unsigned short)b->count;
    for (size_t i = 0; i < b->count; i++)
        program->filter[i] = b->code[b->count - 1 - i];
    return 0;
}
