-- What wrk sends, and one line of JSON about what came back. The request is fixed, so wrk formats it once.
wrk.method = os.getenv("BENCH_METHOD") or "GET"
local body = os.getenv("BENCH_BODY")
if body then
   local file = assert(io.open(body, "rb"))
   wrk.body = file:read("*a")
   file:close()
   wrk.headers["Content-Type"] = os.getenv("BENCH_CONTENT_TYPE")
end

-- Milliseconds between an answer and the next request, whole ones around the wanted mean.
local pause = tonumber(os.getenv("BENCH_PAUSE_MS") or "")
if pause then
   function delay()
      return math.floor(pause + math.random())
   end
end

function done(summary, latency, requests)
   local errors = summary.errors
   io.write(string.format(
      'REPORT {"requests":%d,"bytes":%d,"seconds":%.6f,"mean_us":%.1f,"p50_us":%.1f,"p99_us":%.1f,"p999_us":%.1f,"max_us":%.1f,' ..
      '"errors":{"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}}\n',
      summary.requests, summary.bytes, summary.duration / 1e6, latency.mean,
      latency:percentile(50), latency:percentile(99), latency:percentile(99.9), latency.max,
      errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
