/* What the Redis driver does in one atomic step each: scripts in Lua, which Redis runs.
 *
 * Keys, all in one slot of a cluster by their hash tag; PREFIX is "{sb}:":
 *
 * - PREFIX j:ID, a hash, the job: state owner policy seq created started ended try losses node
 *   claim lease spared request answer status reason. claim: which of its node's; lease: that
 *   node's, in ms; spared: see CLAIM.
 * - PREFIX q, a zset: ids that wait, by their number, which is the order of submission.
 * - PREFIX r, a zset: ids that run, by the end of their lease.
 * - PREFIX a:OWNER, a zset: an owner's ids that wait or run, by when they expire.
 * - PREFIX o:OWNER, a zset: an owner's latest ids, by their number.
 * - PREFIX k:N:OWNER:KEY, a string: id and digest of the submission with that Idempotency-Key.
 *   N is the length of OWNER, so that no two stand for the same.
 * - PREFIX seq, a number: that of the last submission.
 * - PREFIX new, PREFIX n:NODE, PREFIX e:ID, channels: a job waits; an id of that node was
 *   cancelled; that job has ended. Hints only.
 *
 * Clocks of nodes do not matter: times are Redis' own. ARGV[1] is PREFIX.
 *
 * A full Redis refuses a script at its first command that takes memory, but not after one that
 * gives memory back. So only a submission is refused: every other script begins to write by taking
 * something away, and what was accepted is run and answered. */
#ifndef SERVE_REDIS_SCRIPTS_H
#define SERVE_REDIS_SCRIPTS_H

#define SCRIPT_BEGIN                                                                               \
    "local p = ARGV[1]\n"                                                                          \
    "local t = redis.call('TIME')\n"                                                               \
    "local now = t[1] * 1000 + math.floor(t[2] / 1000)\n"                                          \
    "local function settle(id, owner, state, ttl, ...)\n"                                          \
    "  redis.call('HDEL', p..'j:'..id, 'request')\n"                                               \
    "  redis.call('HSET', p..'j:'..id, 'state', state, 'ended', now, ...)\n"                       \
    "  redis.call('PEXPIRE', p..'j:'..id, ttl)\n"                                                  \
    "  redis.call('ZREM', p..'q', id)\n"                                                           \
    "  redis.call('ZREM', p..'r', id)\n"                                                           \
    "  redis.call('ZREM', p..'a:'..owner, id)\n"                                                   \
    "  redis.call('PUBLISH', p..'e:'..id, state)\n"                                                \
    "end\n"                                                                                        \
    "local function wait(id, seq)\n"                                                               \
    "  redis.call('ZREM', p..'r', id)\n"                                                           \
    "  redis.call('ZADD', p..'q', seq, id)\n"                                                      \
    "  redis.call('HSET', p..'j:'..id, 'state', 'queued')\n"                                       \
    "  redis.call('PUBLISH', p..'new', '')\n"                                                      \
    "end\n"

/* ARGV: id owner policy key digest request; queue, per owner, ms of a job, ms of a list.
 * → "ok", "exists" with id and state, "conflict", or "full" with "queue" or "owner" */
#define SCRIPT_SUBMIT                                                                              \
    SCRIPT_BEGIN                                                                                   \
    "local id, owner, key = ARGV[2], ARGV[3], p..'k:'..#ARGV[3]..':'..ARGV[3]..':'..ARGV[5]\n"     \
    "local known = ARGV[5] ~= '' and redis.call('GET', key)\n"                                     \
    "local state = known and redis.call('HGET', p..'j:'..known:sub(1, 32), 'state')\n"             \
    "if state and known:sub(33) ~= ARGV[6] then return {'conflict'} end\n"                         \
    "if state then return {'exists', known:sub(1, 32), state} end\n"                               \
    "local waiting = redis.call('ZCARD', p..'q')\n"                                                \
    "if waiting >= tonumber(ARGV[8]) then return {'full', 'queue'} end\n"                          \
    "local most, mine = tonumber(ARGV[9]), redis.call('ZCOUNT', p..'a:'..owner, now, '+inf')\n"    \
    "if most > 0 and mine >= most then return {'full', 'owner'} end\n"                             \
    "local seq, ttl = redis.call('INCR', p..'seq'), ARGV[10]\n"                                    \
    "redis.call('HSET', p..'j:'..id, 'state', 'queued', 'owner', owner, 'policy', ARGV[4],\n"      \
    "  'seq', seq, 'created', now, 'try', 0, 'losses', 0, 'request', ARGV[7])\n"                   \
    "redis.call('PEXPIRE', p..'j:'..id, ttl)\n"                                                    \
    "redis.call('ZADD', p..'q', seq, id)\n"                                                        \
    "redis.call('ZREMRANGEBYSCORE', p..'a:'..owner, '-inf', now)\n"                                \
    "redis.call('ZADD', p..'a:'..owner, now + ttl, id)\n"                                          \
    "redis.call('PEXPIRE', p..'a:'..owner, ttl)\n"                                                 \
    "redis.call('ZADD', p..'o:'..owner, seq, id)\n"                                                \
    "redis.call('ZREMRANGEBYRANK', p..'o:'..owner, 0, -1001)\n"                                    \
    "redis.call('PEXPIRE', p..'o:'..owner, ARGV[11])\n"                                            \
    "if ARGV[5] ~= '' then redis.call('SET', key, id..ARGV[6], 'PX', ttl) end\n"                   \
    "if waiting == 0 then redis.call('PUBLISH', p..'new', '') end\n"                               \
    "return {'ok'}\n"

/* ARGV: node, most, ms of a lease, tries, ms of a result, ms of a job, number of the node's claim.
 * → {waiting, running, {{id, owner, policy, created, try, request}, …}, jobs that are lost now}
 *
 * Redis' clock may be set. A lease that ends later than one that began now began before the clock
 * was set back: it begins now. One that is over for longer than it lasted, though every node looks
 * for such ones four times in that time, tells perhaps of a clock that was set forwards: once in a
 * try it begins again, which the node renews if it lives. */
#define SCRIPT_CLAIM                                                                               \
    SCRIPT_BEGIN                                                                                   \
    "local node, most, taken, lost = ARGV[2], tonumber(ARGV[3]), {}, 0\n"                          \
    "local function take(id)\n"                                                                    \
    "  local j = p..'j:'..id\n"                                                                    \
    "  redis.call('ZREM', p..'q', id)\n"                                                           \
    "  redis.call('ZREM', p..'r', id)\n"                                                           \
    "  local try = redis.call('HINCRBY', j, 'try', 1)\n"                                           \
    "  redis.call('HSET', j, 'state', 'running', 'node', node, 'started', now,\n"                  \
    "    'claim', ARGV[8], 'lease', ARGV[4])\n"                                                    \
    "  redis.call('PEXPIRE', j, ARGV[7])\n"                                                        \
    "  redis.call('ZADD', p..'r', now + ARGV[4], id)\n"                                            \
    "  local f = redis.call('HMGET', j, 'owner', 'policy', 'created', 'request')\n"                \
    "  taken[#taken + 1] = {id, f[1], f[2], f[3], tostring(try), f[4]}\n"                          \
    "end\n"                                                                                        \
    "local function hold(id, lease)\n"                                                             \
    "  redis.call('ZREM', p..'r', id)\n"                                                           \
    "  redis.call('ZADD', p..'r', now + lease, id)\n"                                              \
    "end\n"                                                                                        \
    "local function each(from, to, call)\n"                                                        \
    "  local found = redis.call('ZRANGEBYSCORE', p..'r', from, to, 'WITHSCORES', 'LIMIT', 0, "     \
    "64)\n"                                                                                        \
    "  for i = 1, #found, 2 do\n"                                                                  \
    "    local f = redis.call('HMGET', p..'j:'..found[i], 'owner', 'seq', 'try', 'lease', "        \
    "'spared')\n"                                                                                  \
    "    call(found[i], found[i + 1], f, f[4] or ARGV[4])\n"                                       \
    "  end\n"                                                                                      \
    "end\n"                                                                                        \
    "each('('..now + ARGV[4], '+inf', function(id, over, f, lease)\n"                              \
    "  if over - now > tonumber(lease) then hold(id, lease) end\n"                                 \
    "end)\n"                                                                                       \
    "each('-inf', now, function(id, over, f, lease)\n"                                             \
    "  if f[1] and now - over > tonumber(lease) and f[5] ~= f[3] then\n"                           \
    "    hold(id, lease)\n"                                                                        \
    "    redis.call('HSET', p..'j:'..id, 'spared', f[3])\n"                                        \
    "    return\n"                                                                                 \
    "  end\n"                                                                                      \
    "  redis.call('ZREM', p..'r', id)\n"                                                           \
    "  if not f[1] then return end\n"                                                              \
    "  local losses = redis.call('HINCRBY', p..'j:'..id, 'losses', 1)\n"                           \
    "  if losses >= tonumber(ARGV[5]) then\n"                                                      \
    "    settle(id, f[1], 'lost', ARGV[6], 'reason', 'so many nodes were lost while it ran: "      \
    "'..losses)\n"                                                                                 \
    "    lost = lost + 1\n"                                                                        \
    "  elseif #taken < most then take(id)\n"                                                       \
    "  else wait(id, f[2]) end\n"                                                                  \
    "end)\n"                                                                                       \
    "while #taken < most do\n"                                                                     \
    "  local id = redis.call('ZRANGE', p..'q', 0, 0)[1]\n"                                         \
    "  if not id then break end\n"                                                                 \
    "  if redis.call('EXISTS', p..'j:'..id) == 1 then take(id)\n"                                  \
    "  else redis.call('ZREM', p..'q', id) end\n"                                                  \
    "end\n"                                                                                        \
    "return {redis.call('ZCARD', p..'q'), redis.call('ZCARD', p..'r'), taken, lost}\n"

/* ARGV: ms of a lease, ms of a job; id, try, id, try, …
 * → {waiting, running, ids that are no longer this node's} */
#define SCRIPT_RENEW                                                                               \
    SCRIPT_BEGIN                                                                                   \
    "local gone = {}\n"                                                                            \
    "for i = 4, #ARGV, 2 do\n"                                                                     \
    "  local f = redis.call('HMGET', p..'j:'..ARGV[i], 'state', 'try')\n"                          \
    "  if f[1] == 'running' and f[2] == ARGV[i + 1] then\n"                                        \
    "    redis.call('ZREM', p..'r', ARGV[i])\n"                                                    \
    "    redis.call('ZADD', p..'r', now + ARGV[2], ARGV[i])\n"                                     \
    "    redis.call('PEXPIRE', p..'j:'..ARGV[i], ARGV[3])\n"                                       \
    "  else gone[#gone + 1] = ARGV[i] end\n"                                                       \
    "end\n"                                                                                        \
    "return {redis.call('ZCARD', p..'q'), redis.call('ZCARD', p..'r'), gone}\n"

/* ARGV: node, number of a claim of its; ids that it holds. What else it got by claims up to that
 * one, it has not heard of, since a connection was lost: that waits again, and no loss counts.
 * → how many */
#define SCRIPT_RETURN                                                                              \
    SCRIPT_BEGIN                                                                                   \
    "local held, count = {}, 0\n"                                                                  \
    "for i = 4, #ARGV do held[ARGV[i]] = true end\n"                                               \
    "for _, id in ipairs(redis.call('ZRANGE', p..'r', 0, -1)) do\n"                                \
    "  local f = redis.call('HMGET', p..'j:'..id, 'node', 'seq', 'claim')\n"                       \
    "  if f[1] == ARGV[2] and tonumber(f[3]) <= tonumber(ARGV[3]) and not held[id] then\n"         \
    "    wait(id, f[2])\n"                                                                         \
    "    count = count + 1\n"                                                                      \
    "  end\n"                                                                                      \
    "end\n"                                                                                        \
    "return count\n"

/* ARGV: id, try, status, answer, ms of a result. → 1, or 0: another try counts. It may be sent
 * again. */
#define SCRIPT_FINISH                                                                              \
    SCRIPT_BEGIN                                                                                   \
    "local f = redis.call('HMGET', p..'j:'..ARGV[2], 'state', 'try', 'owner')\n"                   \
    "if f[2] ~= ARGV[3] or (f[1] ~= 'running' and f[1] ~= 'done') then return 0 end\n"             \
    "if f[1] == 'running' then\n"                                                                  \
    "  settle(ARGV[2], f[3], 'done', ARGV[6], 'status', ARGV[4], 'answer', ARGV[5])\n"             \
    "end\n"                                                                                        \
    "return 1\n"

/* ARGV: id, try, 1 if it counts, tries, ms of a result, reason. → as above, or 2: it is lost now */
#define SCRIPT_FAIL                                                                                \
    SCRIPT_BEGIN                                                                                   \
    "local j = p..'j:'..ARGV[2]\n"                                                                 \
    "local f = redis.call('HMGET', j, 'state', 'try', 'owner', 'seq')\n"                           \
    "if f[1] ~= 'running' or f[2] ~= ARGV[3] then return 0 end\n"                                  \
    "redis.call('ZREM', p..'r', ARGV[2])\n"                                                        \
    "if redis.call('HINCRBY', j, 'losses', ARGV[4]) >= tonumber(ARGV[5]) then\n"                   \
    "  settle(ARGV[2], f[3], 'lost', ARGV[6], 'reason', ARGV[7])\n"                                \
    "  return 2\n"                                                                                 \
    "end\n"                                                                                        \
    "wait(ARGV[2], f[4])\n"                                                                        \
    "return 1\n"

/* ARGV: id, owner. → {state, policy, created, started, ended, try, before, status, reason, answer},
 * or nil */
#define SCRIPT_GET                                                                                 \
    SCRIPT_BEGIN                                                                                   \
    "local f = redis.call('HMGET', p..'j:'..ARGV[2], 'owner', 'state', 'policy', 'created',\n"     \
    "  'started', 'ended', 'try', 'status', 'reason', 'answer')\n"                                 \
    "if f[1] ~= ARGV[3] then return nil end\n"                                                     \
    "local before = redis.call('ZRANK', p..'q', ARGV[2]) or 0\n"                                   \
    "return {f[2], f[3], f[4], f[5] or '0', f[6] or '0', f[7], tostring(before), f[8] or '0',\n"   \
    "  f[9] or '', f[10] or ''}\n"

/* ARGV: owner, most. → {{id, as above without the answer}, …}, newest first */
#define SCRIPT_LIST                                                                                \
    SCRIPT_BEGIN                                                                                   \
    "local list = {}\n"                                                                            \
    "for _, id in ipairs(redis.call('ZREVRANGE', p..'o:'..ARGV[2], 0, ARGV[3] - 1)) do\n"          \
    "  local f = redis.call('HMGET', p..'j:'..id, 'state', 'policy', 'created', 'started',\n"      \
    "    'ended', 'try', 'status', 'reason')\n"                                                    \
    "  local before = redis.call('ZRANK', p..'q', id) or 0\n"                                      \
    "  if f[1] then list[#list + 1] = {id, f[1], f[2], f[3], f[4] or '0', f[5] or '0', f[6],\n"    \
    "    tostring(before), f[7] or '0', f[8] or ''}\n"                                             \
    "  else redis.call('ZREM', p..'o:'..ARGV[2], id) end\n"                                        \
    "end\n"                                                                                        \
    "return list\n"

/* ARGV: id, owner, ms of a result. → 1, also for one that has ended; or 0: there is none */
#define SCRIPT_CANCEL                                                                              \
    SCRIPT_BEGIN                                                                                   \
    "local f = redis.call('HMGET', p..'j:'..ARGV[2], 'owner', 'state', 'node')\n"                  \
    "if f[1] ~= ARGV[3] then return 0 end\n"                                                       \
    "if f[2] ~= 'queued' and f[2] ~= 'running' then return 1 end\n"                                \
    "settle(ARGV[2], f[1], 'cancelled', ARGV[4], 'reason', 'its owner has cancelled it')\n"        \
    "if f[2] == 'running' then redis.call('PUBLISH', p..'n:'..f[3], ARGV[2]) end\n"                \
    "return 1\n"

#endif
