#!/usr/bin/env bash
# tables.sh - bench.json as the tables of README.md.
#
#     tests/bench/tables.sh bench.json
set -euo pipefail
jq -r '
def thousands: tostring | if length > 3 then (.[:-3] | thousands) + "," + .[-3:] else . end;
def whole: round | thousands;
def three: if . >= 100 then whole elif . >= 10 then (. * 10 | round / 10 | tostring) else (. * 100 | round / 100 | tostring) end;
def plural($n; $word): "\($n) \($word)" + (if $n == 1 then "" else "s" end);

def head($job): "\n**W = \($job.window | thousands), \($job.body | thousands) bytes, \(plural($job.requesters; "requester")), \(plural($job.agents; "agent"))**\n\n" +
  "| system | curve | inquiries/s | p50 µs | p99 µs | p99.9 µs | CPU server | requesters | agents | bytes/inquiry | sync µs |\n" +
  "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|";
def line: "| \(.system) | \(.curve) | \(.inquiries_per_s | whole) | \(.p50_us | thousands) | \(.p99_us | thousands) | \(.p999_us | thousands) | \(.cpu_server_s | three) | \(.cpu_requesters_s | three) | \(.cpu_agents_s | three) | \(.bytes_written | whole) | \(.sync_us // 0 | thousands) |";

def known: ["system", "curve", "window", "body", "requesters", "agents", "inquiries_per_s", "p50_us", "p99_us", "p999_us",
  "cpu_s", "cpu_server_s", "cpu_requesters_s", "cpu_agents_s", "bytes_written", "sync_us", "scenario", "case", "of_base"];
def remarks: to_entries | map(select(.key as $k | known | index($k) | not) | "\(.key | gsub("_"; " ")) \(.value | three)") | join(", ");
def scene: "| \(.scenario) | \(.case) | \(.curve) | \(.window | thousands) | \(.inquiries_per_s | whole) | \(if .of_base then (.of_base * 100 | round / 100) else "" end) | \(.p50_us | thousands) | \(.p99_us | thousands) | \(remarks) |";

(map(select(.scenario | not)) | map(select(.agents > 0)) | group_by([.requesters, .body, .window]) | .[]
  | (head(.[0]), (.[] | line))),
(map(select(.scenario | not)) | map(select(.agents == 0)) | if length > 0 then
  "\n**The disk alone**\n\n| limit | inquiries per commit | inquiries/s | p50 µs of a commit | p99 µs | CPU | bytes/inquiry |\n|---|---:|---:|---:|---:|---:|---:|",
  (.[] | "| \(.system) | \(.window | thousands) | \(.inquiries_per_s | whole) | \(.p50_us | thousands) | \(.p99_us | thousands) | \(.cpu_s | three) | \(.bytes_written | whole) |")
  else empty end),
(map(select(.scenario)) | if length > 0 then
  "\n| scenario | case | curve | W | inquiries/s | of base | p50 µs | p99 µs | |\n|---|---|---|---:|---:|---:|---:|---:|---|", (.[] | scene)
  else empty end)
' "${1:-bench.json}"
