-- The requests that wrk sends. Arguments: the start of the URL, the keys, then header fields (name, value, ...).
-- keys: "" for one URL; "N+" for a new number each time, from N + 1 on; "N" for a random number from 1 to N.
-- A number is appended to the URL as seven digits.
local before, after

function init(args)
   wrk.path = args[1]
   for i = 3, #args, 2 do
      wrk.headers[args[i]] = args[i + 1]
   end
   if args[2] == "" then
      return -- without a function `request`, wrk formats the request only once
   end
   before, after = wrk.format("GET", args[1] .. "\0"):match("^(.*)%z(.*)$")
   if args[2]:sub(-1) == "+" then
      local number = tonumber(args[2]:sub(1, -2))
      function request()
         number = number + 1
         return before .. string.format("%07d", number) .. after
      end
   else
      local count = tonumber(args[2])
      function request()
         return before .. string.format("%07d", math.random(count)) .. after
      end
   end
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      '\n{"requests": %d, "seconds": %.6f, "p50": %.6f, "p99": %.6f, "errors": %d}\n',
      summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6,
      errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
