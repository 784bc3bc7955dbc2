-- Each request asks for another asset's year: none has been answered since the cache was full.
-- wrk's threads start at opposite ends of the list, so that none follows another's steps.
local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(args)
  assets = tonumber(args[1])
  tail = args[2]
  at = math.floor(number * assets / 2)
end

function request()
  at = at % assets + 1
  local id = at == 1 and 1 or at == 2 and 1027 or 9999 + at
  return wrk.format("GET", "/api/v1/assets/" .. id .. "/series?" .. tail)
end
