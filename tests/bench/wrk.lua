-- POST /run for wrk: counts the answers by status, and those that are not what the job prints.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"code": "print(1)"}'

local threads = {}
function setup(thread) table.insert(threads, thread) end

function init() ok, full, other, wrong = 0, 0, 0, 0 end

function response(status, headers, body)
  if status == 200 then
    ok = ok + 1
    if not body:find('"stdout":"1\\n"', 1, true) then wrong = wrong + 1 end
  elseif status == 503 then full = full + 1
  else other = other + 1 end
end

function done(summary, latency, requests)
  local sums = {ok = 0, full = 0, other = 0, wrong = 0}
  for _, thread in ipairs(threads) do
    for name in pairs(sums) do sums[name] = sums[name] + thread:get(name) end
  end
  local errors = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format('{"ok": %d, "full": %d, "other": %d, "wrong": %d, "errors": %d, "seconds": %.3f, ' ..
    '"p50_ms": %.2f, "p99_ms": %.2f}\n', sums.ok, sums.full, sums.other, sums.wrong, errors,
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
