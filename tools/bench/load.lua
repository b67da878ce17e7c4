-- What wrk sends, from its arguments: where the URL begins, which keys, then fields as name and value.
-- keys: "" for one URL, "N+" for a new one each time from N on, "N" for any from 1 to N; seven digits at the URL's end.
local before, after

function init(args)
   wrk.path = args[1]
   for i = 3, #args, 2 do
      wrk.headers[args[i]] = args[i + 1]
   end
   if args[2] == "" then
      return -- wrk keeps one request ready
   end
   before, after = wrk.format("GET", args[1] .. "\0"):match("^(.*)%z(.*)$")
   if args[2]:sub(-1) == "+" then
      local next = tonumber(args[2]:sub(1, -2))
      function request()
         next = next + 1
         return before .. string.format("%07d", next) .. after
      end
   else
      local many = tonumber(args[2])
      function request()
         return before .. string.format("%07d", math.random(many)) .. after
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
