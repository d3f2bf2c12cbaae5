-- Requests in turns, for each user each path. Arguments: the milliseconds that pass between an answer and the next request of its
-- connection (on average; 0 for none), a file with an access token a line (an empty line for none), and the paths. A path
-- may be `POST <path> <JSON>`. Prints what it measured as JSON.
local requests = {}
local sent = 0

function init(args)
  local pause = tonumber(args[1])
  for token in io.lines(args[2]) do
    for path = 3, #args do
      local headers = token ~= '' and { Authorization = 'Bearer ' .. token } or {}
      local postPath, body = args[path]:match('^POST (%S+) (.+)$')
      if body then
        headers['Content-Type'] = 'application/json'
      end
      requests[#requests + 1] = wrk.format(body and 'POST' or 'GET', postPath or args[path], headers, body)
    end
  end
  if pause > 0 then
    function delay()
      return math.random(0, 2 * pause)
    end
  end
end

function request()
  sent = sent % #requests + 1
  return requests[sent]
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  local perSecond = summary.requests / summary.duration * 1e6
  local median, p99 = latency:percentile(50) / 1000, latency:percentile(99) / 1000
  local form = '{"failed":%d,"requests":%d,"perSecond":%f,"median":%f,"p99":%f}'
  print(form:format(failed, summary.requests, perSecond, median, p99))
end
