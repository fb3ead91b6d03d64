-- Sends the requests of a file in their order, again and again: one a line, with tabs for the line ends of HTTP.
-- The file is shuffled beforehand, so that nothing is drawn, joined or counted while the clock runs.
local prepared, position = {}, 0

function init(arguments)
  for line in io.lines(arguments[1]) do
    prepared[#prepared + 1] = line:gsub("\t", "\r\n")
  end
end

function request()
  position = position % #prepared + 1
  return prepared[position]
end

function done(summary, latency, requests)
  io.write(string.format(
    '\n{"requests":%d,"microseconds":%d,"bytes":%d,"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d,"p50":%d,"p99":%d}\n',
    summary.requests, summary.duration, summary.bytes, summary.errors.connect, summary.errors.read,
    summary.errors.write, summary.errors.status, summary.errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
